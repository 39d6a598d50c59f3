"""How invented Japanese customers write themselves: names with old character forms, kana, phones, e-mails, addresses.

One person has one true value of each; a record shows it in one of the forms that people really type.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

from sandbox.records import Address

if TYPE_CHECKING:
    from random import Random

FAMILY_NAMES = (
    "佐藤 サトウ sato|鈴木 スズキ suzuki|高橋 タカハシ takahashi|田中 タナカ tanaka|伊藤 イトウ ito|"
    "渡辺 ワタナベ watanabe|山本 ヤマモト yamamoto|中村 ナカムラ nakamura|小林 コバヤシ kobayashi|"
    "加藤 カトウ kato|吉田 ヨシダ yoshida|山田 ヤマダ yamada|佐々木 ササキ sasaki|山口 ヤマグチ yamaguchi|"
    "松本 マツモト matsumoto|井上 イノウエ inoue|木村 キムラ kimura|林 ハヤシ hayashi|斎藤 サイトウ saito|"
    "清水 シミズ shimizu|山崎 ヤマザキ yamazaki|森 モリ mori|池田 イケダ ikeda|橋本 ハシモト hashimoto|"
    "阿部 アベ abe|石川 イシカワ ishikawa|小川 オガワ ogawa|前田 マエダ maeda|岡田 オカダ okada|"
    "長谷川 ハセガワ hasegawa|藤田 フジタ fujita|後藤 ゴトウ goto|近藤 コンドウ kondo|村上 ムラカミ murakami|"
    "遠藤 エンドウ endo|青木 アオキ aoki|坂本 サカモト sakamoto|福田 フクダ fukuda|太田 オオタ ota|"
    "西村 ニシムラ nishimura|藤井 フジイ fujii|岡本 オカモト okamoto|金子 カネコ kaneko|三浦 ミウラ miura|"
    "中野 ナカノ nakano|原田 ハラダ harada|松田 マツダ matsuda|竹内 タケウチ takeuchi|小野 オノ ono|"
    "田村 タムラ tamura|中山 ナカヤマ nakayama|浜田 ハマダ hamada|沢田 サワダ sawada|桜井 サクライ sakurai|"
    "広瀬 ヒロセ hirose|島田 シマダ shimada|辺見 ヘンミ hemmi|五十嵐 イガラシ igarashi"
)
GIVEN_NAMES = (
    "陽子 ヨウコ yoko|美咲 ミサキ misaki|さくら サクラ sakura|裕子 ユウコ yuko|恵 メグミ megumi|由美 ユミ yumi|"
    "愛 アイ ai|直美 ナオミ naomi|真由美 マユミ mayumi|香織 カオリ kaori|智子 トモコ tomoko|結衣 ユイ yui|"
    "葵 アオイ aoi|彩 アヤ aya|優子 ユウコ yuko|明美 アケミ akemi|千尋 チヒロ chihiro|美穂 ミホ miho|"
    "典子 ノリコ noriko|和子 カズコ kazuko|花子 ハナコ hanako|麻衣 マイ mai|理恵 リエ rie|絵里 エリ eri|"
    "純子 ジュンコ junko|凛 リン rin|健太 ケンタ kenta|翔太 ショウタ shota|大輔 ダイスケ daisuke|"
    "誠 マコト makoto|拓也 タクヤ takuya|浩 ヒロシ hiroshi|直樹 ナオキ naoki|隆 タカシ takashi|蓮 レン ren|"
    "悠真 ユウマ yuma|達也 タツヤ tatsuya|学 マナブ manabu|健一 ケンイチ kenichi|博 ヒロシ hiroshi|涼 リョウ ryo|"
    "和也 カズヤ kazuya"
)
OLD_FORMS = {
    "斎藤": ("斉藤", "齋藤", "齊藤"),
    "渡辺": ("渡邊", "渡邉"),
    "高橋": ("髙橋",),
    "山崎": ("山﨑",),
    "浜田": ("濱田",),
    "沢田": ("澤田",),
    "桜井": ("櫻井",),
    "広瀬": ("廣瀬",),
    "島田": ("嶋田",),
    "吉田": ("𠮷田",),
    "辺見": ("邊見",),
}
PLACES = (
    "150-0001 JP-13 東京都 渋谷区 神宮前|160-0022 JP-13 東京都 新宿区 新宿|154-0004 JP-13 東京都 世田谷区 太子堂|"
    "180-0004 JP-13 東京都 武蔵野市 吉祥寺本町|220-0012 JP-14 神奈川県 横浜市西区 みなとみらい|"
    "251-0052 JP-14 神奈川県 藤沢市 藤沢|330-0854 JP-11 埼玉県 さいたま市大宮区 桜木町|"
    "260-0013 JP-12 千葉県 千葉市中央区 中央|530-0001 JP-27 大阪府 大阪市北区 梅田|"
    "542-0076 JP-27 大阪府 大阪市中央区 難波|604-8006 JP-26 京都府 京都市中京区 下丸屋町|"
    "650-0021 JP-28 兵庫県 神戸市中央区 三宮町|460-0008 JP-23 愛知県 名古屋市中区 栄|"
    "420-0852 JP-22 静岡県 静岡市葵区 紺屋町|060-0001 JP-01 北海道 札幌市中央区 北一条西|"
    "980-0811 JP-04 宮城県 仙台市青葉区 一番町|730-0011 JP-34 広島県 広島市中区 基町|"
    "810-0001 JP-40 福岡県 福岡市中央区 天神|860-0807 JP-43 熊本県 熊本市中央区 下通|"
    "900-0015 JP-47 沖縄県 那覇市 久茂地|920-0853 JP-17 石川県 金沢市 本町|380-0821 JP-20 長野県 長野市 鶴賀|"
    "700-0901 JP-33 岡山県 岡山市北区 本町|790-0012 JP-38 愛媛県 松山市 湊町"
)
BUILDINGS = ("", "", "グリーンハイツ{}", "メゾン桜 {}号室", "ﾊﾟｰｸｺｰﾄ{}", "第二コーポ{}", "サンライズ{}号")
DOMAINS = ("example.jp", "example.com", "mail.example.jp", "mobile.example.ne.jp", "example.co.jp")
FULL_WIDTH = str.maketrans("0123456789-", "０１２３４５６７８９－")
HALF_WIDTH = dict(
    zip(
        "アイウエオカキクケコサシスセソタチツテトナニヌネノハヒフヘホマミムメモヤユヨラリルレロワヲンァィゥェォャュョッー",
        "ｱｲｳｴｵｶｷｸｹｺｻｼｽｾｿﾀﾁﾂﾃﾄﾅﾆﾇﾈﾉﾊﾋﾌﾍﾎﾏﾐﾑﾒﾓﾔﾕﾖﾗﾘﾙﾚﾛﾜｦﾝｧｨｩｪｫｬｭｮｯｰ",
        strict=True,
    )
)
HALF_WIDTH |= dict(
    zip(
        "ガギグゲゴザジズゼゾダヂヅデドバビブベボ",
        (a + "ﾞ" for a in "ｶｷｸｹｺｻｼｽｾｿﾀﾁﾂﾃﾄﾊﾋﾌﾍﾎ"),
        strict=True,
    )
)
HALF_WIDTH |= dict(zip("パピプペポ", (a + "ﾟ" for a in "ﾊﾋﾌﾍﾎ"), strict=True))


def split_names(text: str) -> list[tuple[str, str, str]]:
    """Read a list of names: characters, kana, Latin letters."""
    return [(kanji, kana, latin) for kanji, kana, latin in (entry.split() for entry in text.split("|"))]


FAMILIES = split_names(FAMILY_NAMES)
GIVENS = split_names(GIVEN_NAMES)
ADDRESSES = [entry.split() for entry in PLACES.split("|")]


@dataclass(frozen=True, slots=True)
class Home:
    """Where a household lives, and its landline."""

    place: int
    numbers: tuple[int, int, int]
    building: str
    landline: str
    is_shared: bool


@dataclass(frozen=True, slots=True)
class Person:
    """The truth about one person."""

    number: int
    family: tuple[str, str, str]
    given: tuple[str, str, str]
    mobile: str
    email: str
    birth_date: date
    home: Home


def invent_home(random: Random, place: int, *, is_shared: bool) -> Home:
    """Invent a household's home."""
    numbers = (random.randint(1, 8), random.randint(1, 30), random.randint(1, 25))
    building = random.choice(BUILDINGS).format(random.randint(101, 909))
    return Home(place, numbers, building, f"03{random.randint(30_000_000, 69_999_999)}", is_shared)


def invent_person(random: Random, number: int, home: Home, family: tuple[str, str, str] | None = None) -> Person:
    """Invent a person; the mobile and the e-mail are theirs alone."""
    own_family = family or FAMILIES[min(int(random.expovariate(1 / 18)), len(FAMILIES) - 1)]
    given = random.choice(GIVENS)
    mobile = f"0{random.choice('789')}0{(number * 7919 + 12_345_678) % 100_000_000:08d}"
    local = random.choice(("{f}.{g}{n}", "{g}{n}", "{g}_{f}{n}", "{f}{n}")).format(
        f=own_family[2], g=given[2], n=number
    )
    birth = date(1950, 1, 1) + timedelta(days=random.randint(0, 365 * 55))
    return Person(number, own_family, given, mobile, f"{local}@{random.choice(DOMAINS)}", birth, home)


def write_phone(random: Random, digits: str) -> str:
    """Write a phone number in one of the forms people type."""
    cut = 3 if len(digits) == 11 else 2
    hyphens = f"{digits[:cut]}-{digits[cut:-4]}-{digits[-4:]}"
    forms = (
        hyphens,
        hyphens,
        digits,
        digits,
        "+81" + digits[1:],
        "+81 " + hyphens[1:],
        hyphens.translate(FULL_WIDTH),
        hyphens.replace("-", " "),
        f"({digits[:cut]}){digits[cut:-4]}-{digits[-4:]}",
    )
    return random.choice(forms)


def write_email(random: Random, email: str) -> str:
    """Write an e-mail address as typed on a phone: sometimes capitalised or all upper case."""
    chance = random.random()
    if chance < 0.08:
        return email.upper()
    return email.capitalize() if chance < 0.16 else email


def write_kana(random: Random, kana: str) -> str:
    """Write kana full width, half width, or as hiragana."""
    chance = random.random()
    if chance < 0.70:
        return kana
    if chance < 0.85:
        return "".join(HALF_WIDTH.get(letter, letter) for letter in kana)
    return "".join(chr(ord(letter) - 0x60) if "ァ" <= letter <= "ヶ" else letter for letter in kana)


def write_family_name(random: Random, kanji: str) -> str:
    """Write a family name, sometimes with the old form of a character."""
    forms = OLD_FORMS.get(kanji)
    return random.choice(forms) if forms and random.random() < 0.35 else kanji


def write_address(random: Random, home: Home) -> Address:
    """Write an address in one of the usual styles."""
    code, prefecture_code, prefecture, city, town = ADDRESSES[home.place]
    chome, block, house = home.numbers
    style = random.randrange(5)
    if style == 0:
        tail = f"{chome}丁目{block}番{house}号"
    elif style == 1:
        tail = f"{chome}-{block}-{house}".translate(FULL_WIDTH)
    elif style == 2:
        tail = f"{chome}丁目{block}-{house}"
    else:
        tail = f"{chome}-{block}-{house}"
    postal = code if random.random() < 0.8 else code.replace("-", "")
    return Address(postal, prefecture_code, prefecture, city, town + tail, home.building or None)
