//! The cities in which the demonstration group works, with what a telephone number or a plate there looks like.

pub struct City {
    /// Canonical path of `crate::regions`.
    pub path: &'static str,
    /// As companies write it in front of their names.
    pub name: &'static str,
    pub area_code: &'static str,
    /// Digits of a local number.
    pub local_digits: usize,
    pub plate: &'static str,
    /// How much of the group's business is here.
    pub weight: usize,
    pub roads: &'static [&'static str],
}

const fn city(
    path: &'static str,
    name: &'static str,
    (area_code, local_digits): (&'static str, usize),
    plate: &'static str,
    weight: usize,
    roads: &'static [&'static str],
) -> City {
    City { path, name, area_code, local_digits, plate, weight, roads }
}

pub const CITIES: &[City] = &[
    city(
        "广东省/广州市",
        "广州",
        ("020", 8),
        "粤A",
        300,
        &["天河路", "黄埔大道", "广园路", "新港路", "番禺大道", "科学大道"],
    ),
    city("广东省/佛山市", "佛山", ("0757", 8), "粤E", 170, &["季华路", "岭南大道", "南海大道", "佛平路"]),
    city("广东省/深圳市", "深圳", ("0755", 8), "粤B", 130, &["深南大道", "宝安大道", "龙岗大道", "留仙大道"]),
    city("广东省/东莞市", "东莞", ("0769", 8), "粤S", 80, &["东莞大道", "莞太路", "松山湖大道"]),
    city("广东省/惠州市", "惠州", ("0752", 7), "粤L", 40, &["惠州大道", "演达大道"]),
    city("广东省/中山市", "中山", ("0760", 8), "粤T", 40, &["中山路", "博爱路", "兴中道"]),
    city("广东省/湛江市", "湛江", ("0759", 7), "粤G", 20, &["人民大道", "椹川大道"]),
    city("湖南省/长沙市", "长沙", ("0731", 8), "湘A", 70, &["芙蓉路", "韶山路", "岳麓大道", "五一大道"]),
    city("湖南省/株洲市", "株洲", ("0731", 8), "湘B", 15, &["建设路", "天台路"]),
    city("湖北省/武汉市", "武汉", ("027", 8), "鄂A", 55, &["珞喻路", "解放大道", "发展大道"]),
    city("广西壮族自治区/南宁市", "南宁", ("0771", 7), "桂A", 30, &["民族大道", "朝阳路", "白沙大道"]),
    city("广西壮族自治区/柳州市", "柳州", ("0772", 7), "桂B", 15, &["屏山大道", "潭中路"]),
    city("四川省/成都市", "成都", ("028", 8), "川A", 45, &["天府大道", "蜀汉路", "人民南路"]),
    city("重庆市", "重庆", ("023", 8), "渝A", 35, &["渝州路", "红锦大道", "南坪西路"]),
    city("浙江省/杭州市", "杭州", ("0571", 8), "浙A", 30, &["文三路", "天目山路", "江南大道"]),
    city("江苏省/苏州市", "苏州", ("0512", 8), "苏E", 25, &["干将路", "狮山路", "现代大道"]),
    city("上海市", "上海", ("021", 8), "沪A", 25, &["中山北路", "沪闵路", "张杨路"]),
    city("北京市", "北京", ("010", 8), "京A", 20, &["建国路", "学院路", "南四环西路"]),
    city("河南省/郑州市", "郑州", ("0371", 8), "豫A", 20, &["中原路", "花园路", "航海路"]),
    city("福建省/福州市", "福州", ("0591", 8), "闽A", 15, &["五四路", "福飞路"]),
    city("安徽省/合肥市", "合肥", ("0551", 8), "皖A", 15, &["长江路", "徽州大道"]),
    city("山西省/太原市", "太原", ("0351", 7), "晋A", 15, &["迎泽大街", "长风街"]),
    city("贵州省/贵阳市", "贵阳", ("0851", 8), "贵A", 15, &["中华路", "北京西路"]),
    city("云南省/昆明市", "昆明", ("0871", 8), "云A", 15, &["北京路", "滇池路"]),
    city("陕西省/西安市", "西安", ("029", 8), "陕A", 15, &["长安路", "科技路"]),
    city("山东省/青岛市", "青岛", ("0532", 8), "鲁B", 15, &["香港路", "辽阳路"]),
];

/// Roads that every town has.
pub const ROADS: &[&str] = &[
    "人民路",
    "解放路",
    "建设路",
    "中山路",
    "新华路",
    "和平路",
    "文化路",
    "工业大道",
    "工业一路",
    "工业二路",
    "兴业路",
    "创业路",
    "科技路",
    "迎宾大道",
    "环城东路",
    "环城西路",
    "滨江路",
    "学府路",
    "东风路",
    "体育路",
    "公园路",
    "站前路",
    "金沙路",
    "银河路",
    "振兴路",
    "富民路",
    "朝阳路",
    "长虹路",
    "桃园路",
    "荷塘路",
];

/// Estates and parks that the group manages, in every one of its cities.
pub const COMMUNITIES: &[&str] =
    &["云岳花园", "云岳华庭", "岭岳国际广场", "岭岳科技园", "岭岳中心", "翠湖雅苑", "江畔名苑"];

/// Where the people come from who did not grow up in the city they live in.
pub const HOME_PROVINCES: &[&str] =
    &["广东省", "湖南省", "广西壮族自治区", "四川省", "湖北省", "河南省", "江西省", "安徽省", "贵州省"];
