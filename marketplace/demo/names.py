"""Names of the few places, fields and industries that the demo uses; ``flask search taxonomy`` loads whole trees."""

from __future__ import annotations

Row = tuple[str, str | None, str, str | None]

NAMES: dict[str, tuple[Row, ...]] = {
    "region": (
        ("420100", "420000", "武汉市", "Wuhan"),
        ("420115", "420100", "江夏区", "Jiangxia, Wuhan"),
        ("420700", "420000", "鄂州市", "Ezhou"),
        ("420703", "420700", "华容区", "Huarong, Ezhou"),
    ),
    # IPC, WIPO
    "ipc": (
        ("C02", "C", "水、废水、污水或污泥的处理", "Treatment of water, waste water, sewage, or sludge"),
        ("C02F", "C02", "水、废水、污水或污泥的处理", "Treatment of water, waste water, sewage, or sludge"),
        ("C02F11/00", "C02F", "污泥的处理；其装置", "Treatment of sludge; devices therefor"),
        ("G01", "G", "测量；测试", "Measuring; testing"),
        ("G01H", "G01", "机械振动或超声波、声波或次声波的测量", "Measurement of mechanical vibrations or sound waves"),
        ("G02", "G", "光学", "Optics"),
        ("G02B", "G02", "光学元件、系统或仪器", "Optical elements, systems or apparatus"),
        ("G02B6/00", "G02B", "光导", "Light guides"),
    ),
    "industry": (
        ("C40", "C", "仪器仪表制造业", "Manufacture of instruments and meters"),
        ("C401", "C40", "通用仪器仪表制造", "General-purpose instruments"),
        ("C4014", "C401", "实验分析仪器制造", "Laboratory analysis instruments"),
        ("I65", "I", "软件和信息技术服务业", "Software and information technology services"),
        ("I651", "I65", "软件开发", "Software development"),
        ("I6513", "I651", "应用软件开发", "Application software"),
        ("N77", "N", "生态保护和环境治理业", "Ecological protection and environmental remediation"),
        ("N772", "N77", "环境治理业", "Environmental remediation"),
        ("N7721", "N772", "水污染治理", "Water pollution control"),
    ),
}
