"""Places of China by name: which region a title or an issuer names, and at which level of government."""

from __future__ import annotations

import re

_MUNICIPALITIES = "北京 上海 天津 重庆"
_PROVINCES = "河北 山西 辽宁 吉林 黑龙江 江苏 浙江 安徽 福建 江西 山东 河南 湖北 湖南 广东 海南 四川 贵州 云南 陕西 甘肃 青海 台湾"
_REGIONS = "内蒙古自治区 广西壮族自治区 西藏自治区 宁夏回族自治区 新疆维吾尔自治区"
# Prefecture-level cities, and county-level ones that issue policies of their own renown. Names that are everyday words
# or other places as well (中山, 吉林, 海口 ...) count only with 市 behind them.
_CITIES = (
    "石家庄 唐山 秦皇岛 邯郸 邢台 保定 张家口 承德 沧州 廊坊 衡水 太原 大同 阳泉 长治 晋城 朔州 晋中 运城 忻州 临汾 吕梁 呼和浩特 包头 乌海 赤峰 "
    "通辽 鄂尔多斯 呼伦贝尔 巴彦淖尔 乌兰察布 沈阳 大连 鞍山 抚顺 本溪 丹东 锦州 营口 阜新 辽阳 盘锦 铁岭 葫芦岛 长春 四平 辽源 通化 白山 松原 白城 "
    "哈尔滨 齐齐哈尔 鸡西 鹤岗 双鸭山 大庆 伊春 佳木斯 七台河 牡丹江 黑河 绥化 南京 无锡 徐州 常州 苏州 南通 连云港 淮安 盐城 扬州 镇江 泰州 宿迁 "
    "杭州 宁波 温州 嘉兴 湖州 绍兴 金华 衢州 舟山 台州 丽水 合肥 芜湖 蚌埠 淮南 马鞍山 淮北 铜陵 安庆 黄山 滁州 阜阳 宿州 六安 亳州 池州 宣城 "
    "福州 厦门 莆田 三明 泉州 漳州 南平 龙岩 宁德 南昌 景德镇 萍乡 九江 新余 鹰潭 赣州 吉安 宜春 抚州 上饶 济南 青岛 淄博 枣庄 东营 烟台 潍坊 济宁 "
    "泰安 威海 日照 临沂 德州 聊城 滨州 菏泽 郑州 开封 洛阳 平顶山 安阳 鹤壁 新乡 焦作 濮阳 许昌 漯河 三门峡 南阳 商丘 信阳 周口 驻马店 武汉 黄石 "
    "十堰 宜昌 襄阳 鄂州 荆门 孝感 荆州 黄冈 咸宁 随州 长沙 株洲 湘潭 衡阳 邵阳 岳阳 常德 张家界 益阳 郴州 永州 怀化 娄底 广州 韶关 深圳 珠海 汕头 "
    "佛山 江门 湛江 茂名 肇庆 惠州 梅州 汕尾 河源 阳江 清远 东莞 潮州 揭阳 云浮 南宁 柳州 桂林 梧州 北海 防城港 钦州 贵港 玉林 百色 贺州 河池 来宾 "
    "崇左 三亚 成都 自贡 攀枝花 泸州 德阳 绵阳 广元 遂宁 内江 乐山 南充 眉山 宜宾 广安 达州 雅安 巴中 资阳 贵阳 六盘水 遵义 安顺 毕节 铜仁 昆明 曲靖 "
    "玉溪 保山 昭通 丽江 普洱 临沧 拉萨 日喀则 昌都 林芝 西安 铜川 宝鸡 咸阳 渭南 延安 汉中 榆林 安康 商洛 兰州 嘉峪关 金昌 白银 天水 武威 张掖 平凉 "
    "酒泉 庆阳 定西 陇南 西宁 海东 银川 石嘴山 吴忠 固原 中卫 乌鲁木齐 克拉玛依 吐鲁番 哈密 义乌 昆山 雄安"
)
_COMMON_WORDS = frozenset(
    "大同 长治 白山 黄山 铁岭 白银 平凉 宝鸡 南平 三明 安康 随州 海东 自贡 保山 来宾 固原 四平 通化".split()
)
_SHORT = {
    **{name: f"{name}市" for name in _MUNICIPALITIES.split()},
    **{name: f"{name}省" for name in _PROVINCES.split()},
    **{name[: 3 if name.startswith("内蒙古") else 2]: name for name in _REGIONS.split()},
    **{name: f"{name}市" for name in _CITIES.split() if name not in _COMMON_WORDS},
}
_SHORT["雄安"] = "雄安新区"
_NAMES = "|".join(sorted(_SHORT, key=len, reverse=True))
_KNOWN = re.compile(rf"(?P<name>{_NAMES})(?!路|街|大道|银行|大学)")

_PROVINCE = rf"(?:(?:{'|'.join(_PROVINCES.split())})省|{'|'.join(_REGIONS.split())})"
_CITY = r"(?:[\u4e00-\u9fff]{2,5}(?:(?<![城门超上都股夜楼集])市|自治州|盟)|[\u4e00-\u9fff]{1,4}州(?=[\u4e00-\u9fff]{1,4}(?:县|(?<![都城超上])市)))"
_COUNTY = r"(?:[\u4e00-\u9fff]{1,5}(?:(?<![园社地灾山片学校街辖市发聚新税业贸范])区|(?<!各)县|自治县|旗))"
_NEW_AREA = r"[\u4e00-\u9fff]{2,5}新区"
_FULL = re.compile(
    rf"(?P<place>(?:{_PROVINCE})?(?:{_CITY})(?:{_NEW_AREA}|{_COUNTY})?|{_PROVINCE}(?:{_COUNTY})?|{_NEW_AREA}|{_COUNTY})"
)
# What a place never begins with: words that stand before one, and words that end like one.
_NO_PLACE = re.compile(
    r"^(?:关于|印发|转发|解读|各|全|本|我|该|有关|部分|所在|市|省|区|县|新|旧|老|和|与|及|在|对|为|的|原|中心|城镇|城乡|非|推进|加快|支持|促进|建设|等)|"
    r"超市|上市|城市|门市|都市|股市|楼市|园区|社区|地区|辖区|校区|景区|灾区|片区|集聚区|开发区|示范区|保税区|高新区|试验区|街区|小区|厂区|牧区|山区|农区|林区|郊区|[主心老新建成市]城区"
)
_LEVELS = (
    (
        "国家",
        r"^(?:国务院|中华人民共和国|国家|全国|中共中央|中央)|^(?:教育|财政|公安|民政|司法|商务|科技|科学技术|工业和信息化|人力资源和社会保障|住房和城乡建设|交通运输|农业农村|文化和旅游|自然资源|生态环境|应急管理|水利|环境保护)部",
    ),
)


def region_of(*names: str | None) -> str | None:
    """The region that the first of these names (a title, an issuer) gives: 惠州市惠城区, 广东省, 青岛市 for 青岛."""
    for name in names:
        place = _region(name or "")
        if place:
            return place
    return None


def _region(name: str) -> str | None:
    words = re.sub(r"^[《“\s■【]+|^(?:\d{4}年)|^(?:关于印发|印发|关于|转发|解读)[《“]?", "", name)
    for start in (words, re.sub(r"^\d{4}年", "", words)):
        match = _FULL.match(start)
        if match and not _NO_PLACE.search(match["place"]):
            return match["place"]
    known = _KNOWN.search(name)
    if known:
        behind = _FULL.match(name, known.start())
        if behind and behind["place"].startswith(_SHORT[known["name"]]) and not _NO_PLACE.search(behind["place"]):
            return behind["place"]
        return _SHORT[known["name"]]
    return None


def level_of(region: str | None, issuer: str | None, title: str | None) -> str | None:
    """国家, 省, 市 or 区县; the municipalities under the central government rank with the provinces."""
    for level, pattern in _LEVELS:
        if re.search(pattern, issuer or "") or (
            issuer is None and re.search(r"^(?:中华人民共和国|国务院)", title or "")
        ):
            return level
    if region is None:
        return None
    if region.removesuffix("市") in _MUNICIPALITIES.split():
        return "省"
    for endings, level in (
        (("新区",), "市"),
        (("区", "县", "旗"), "区县"),
        (("市", "州", "盟"), "市"),
        (("省",), "省"),
    ):
        if region.endswith(endings) and not region.endswith("自治区"):
            return level
    return "省" if region.endswith("自治区") else None
