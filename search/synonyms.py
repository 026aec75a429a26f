"""Words that mean the same here: short lists of the trade in intellectual property and of common techniques.

Each group is searched as one, the words that were not typed with a lower weight. Managers keep further groups, which
come with the question. Words of more than one sense are left out: a wrong synonym costs more than a missing one.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

from search import analysis

Group = tuple[str, ...]
LONGEST_MEMBER = 40  # characters
MOST_MEMBERS = 12

DOMAIN: tuple[Group, ...] = (
    # rights and trade
    ("专利权质押", "专利质押", "patent pledge"),
    ("软件著作权", "软著", "计算机软件著作权", "software copyright"),
    ("植物新品种", "品种权", "plant variety"),
    ("集成电路布图设计", "布图设计", "layout design"),
    ("商标", "注册商标", "trademark", "trade mark"),
    ("独占许可", "独家许可", "exclusive licence", "exclusive license"),
    ("普通许可", "非独占许可", "non-exclusive licence", "non-exclusive license"),
    ("许可", "授权使用", "licence", "license"),
    ("外观设计", "外观专利", "industrial design"),
    ("实用新型", "utility model"),
    # Taiwan wording that survives in simplified script
    ("鼠标", "滑鼠"),
    ("软件", "软体"),
    ("硬件", "硬体"),
    ("网络", "网路"),
    ("程序", "程式"),
    ("硬盘", "硬碟"),
    ("屏幕", "荧幕", "萤幕"),
    ("打印", "列印"),
    ("激光", "雷射", "laser"),
    ("服务器", "伺服器", "server"),
    ("固件", "韧体", "firmware"),
    ("像素", "画素", "pixel"),
    ("带宽", "频宽", "bandwidth"),
    # energy
    ("锂电池", "锂离子电池", "lithium battery", "lithium ion battery", "li-ion battery"),
    ("燃料电池", "fuel cell"),
    ("太阳能电池", "光伏电池", "solar cell", "photovoltaic cell"),
    ("光伏", "太阳能发电", "photovoltaic"),
    ("充电桩", "充电站", "charging station", "charging pile"),
    ("储能", "能量存储", "energy storage"),
    ("新能源汽车", "电动汽车", "电动车辆", "electric vehicle"),
    ("风力发电", "风电", "wind power"),
    # computing and communication
    ("人工智能", "ai", "artificial intelligence"),
    ("机器学习", "machine learning"),
    ("深度学习", "deep learning"),
    ("神经网络", "neural network"),
    ("大语言模型", "大模型", "large language model", "llm"),
    ("图像识别", "图像辨识", "image recognition"),
    ("人脸识别", "面部识别", "face recognition", "facial recognition"),
    ("语音识别", "speech recognition"),
    ("自然语言处理", "nlp", "natural language processing"),
    ("区块链", "blockchain"),
    ("云计算", "cloud computing"),
    ("物联网", "iot", "internet of things"),
    ("虚拟现实", "vr", "virtual reality"),
    ("增强现实", "ar", "augmented reality"),
    ("图形处理器", "gpu", "graphics processing unit"),
    ("中央处理器", "cpu", "central processing unit"),
    ("触摸屏", "触控屏", "touch screen", "touchscreen"),
    ("显示屏", "显示面板", "display panel"),
    ("数据库", "database"),
    ("缓存", "高速缓存", "cache"),
    ("内存", "存储器", "记忆体", "memory"),
    ("固态硬盘", "ssd", "solid state drive"),
    ("操作系统", "operating system"),
    ("用户界面", "人机界面", "user interface"),
    ("移动终端", "手机", "智能手机", "mobile phone", "smartphone"),
    ("笔记本电脑", "便携式计算机", "laptop", "notebook computer"),
    ("路由器", "router"),
    ("传感器", "感测器", "sensor"),
    ("芯片", "晶片", "集成电路", "integrated circuit"),
    ("半导体", "semiconductor"),
    ("发光二极管", "led", "light emitting diode"),
    ("无线充电", "wireless charging"),
    ("自动驾驶", "无人驾驶", "autonomous driving", "self-driving"),
    ("无人机", "无人飞行器", "uav", "drone", "unmanned aerial vehicle"),
    ("机器人", "机械人", "robot"),
    ("三维打印", "3d打印", "增材制造", "3d printing", "additive manufacturing"),
    # materials, machines, life
    ("石墨烯", "graphene"),
    ("碳纤维", "carbon fiber", "carbon fibre"),
    ("复合材料", "composite material"),
    ("涂料", "涂层", "coating"),
    ("粘合剂", "胶粘剂", "粘接剂", "adhesive"),
    ("催化剂", "触媒", "catalyst"),
    ("污水处理", "废水处理", "wastewater treatment", "sewage treatment"),
    ("空调", "空气调节器", "air conditioner"),
    ("冰箱", "电冰箱", "refrigerator"),
    ("电动机", "电机", "马达", "motor"),
    ("阀门", "阀", "valve"),
    ("超声波", "超声", "ultrasound", "ultrasonic"),
    ("导管", "catheter"),
    ("支架", "stent"),
    ("疫苗", "vaccine"),
    ("抗体", "antibody"),
    ("中药", "中草药", "traditional chinese medicine"),
    ("水稻", "稻", "rice"),
    ("玉米", "maize", "corn"),
    ("肥料", "化肥", "fertilizer", "fertiliser"),
    ("农药", "pesticide"),
)

Units = tuple[str, ...]
#: First unit → (units of the member, the units of the others), longest member first.
Table = dict[str, list[tuple[Units, tuple[Units, ...]]]]


def units(text: str) -> Units:
    """A text as what is compared one by one: a stem, or one Chinese character."""
    out: list[str] = []
    for run in analysis.runs(analysis.fold(text)):
        if analysis.is_chinese(run):
            out.extend(run)
        else:
            out.append(analysis.stream(run))
    return tuple(out)


@lru_cache(maxsize=64)
def table(given: tuple[Group, ...] = ()) -> Table:
    """The domain's groups and these, ready to be looked up while reading a question."""
    made: dict[Units, dict[Units, None]] = {}
    for group in (*DOMAIN, *given):
        members = _members(group)
        for member in members:
            made.setdefault(member, {}).update(dict.fromkeys(other for other in members if other != member))
    out: Table = {}
    for member, others in made.items():
        if others:
            out.setdefault(member[0], []).append((member, tuple(others)[:MOST_MEMBERS]))
    for entries in out.values():
        entries.sort(key=lambda entry: -len(entry[0]))
    return out


def _members(group: Iterable[str]) -> list[Units]:
    found = (units(member[:LONGEST_MEMBER]) for member in tuple(group)[:MOST_MEMBERS])
    return [member for member in found if member]
