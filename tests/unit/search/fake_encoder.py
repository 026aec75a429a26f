"""An encoder whose vectors can be read by eye: one direction a theme, whatever the language."""

from __future__ import annotations

THEMES = (("电池", "battery"), ("图像", "image"), ("疫苗", "vaccine"), ("齿轮", "gear"))


class ThemeEncoder:
    name, size = "themes", len(THEMES) + 1

    def __init__(self) -> None:
        self.read: list[str] = []
        self.fail_after: int | None = None

    def passages(self, texts):
        import numpy as np

        if self.fail_after is not None and len(self.read) >= self.fail_after:
            raise RuntimeError("stopped")
        self.read += texts
        return np.stack([self.query(text) for text in texts])

    def query(self, text):
        import numpy as np

        weights = [sum(text.lower().count(word) for word in words) for words in THEMES]
        vector = np.array([*weights, 0.1], np.float32)
        return vector / np.linalg.norm(vector)
