# ruff: noqa: E501, SIM905
"""Invented names for `people.py`: put together from parts, with their readings, and how people mistype them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import random


class Name(NamedTuple):
    """A family or given name as written and as read (hiragana)."""

    kanji: str
    kana: str


COMMON = """佐藤さとう 鈴木すずき 高橋たかはし 田中たなか 伊藤いとう 渡辺わたなべ 山本やまもと 中村なかむら 小林こばやし 加藤かとう
吉田よしだ 山田やまだ 佐々木ささき 山口やまぐち 松本まつもと 井上いのうえ 木村きむら 林はやし 斎藤さいとう 清水しみず 山崎やまざき
森もり 池田いけだ 橋本はしもと 阿部あべ 石川いしかわ 山下やました 中島なかじま 石井いしい 小川おがわ 前田まえだ 岡田おかだ 長谷川はせがわ
藤田ふじた 後藤ごとう 近藤こんどう 村上むらかみ 遠藤えんどう 青木あおき 坂本さかもと 福田ふくだ 西村にしむら 太田おおた 三浦みうら
藤井ふじい 岡本おかもと 松田まつだ 中川なかがわ 原田はらだ 小野おの 竹内たけうち 金子かねこ 和田わだ 中山なかやま 石田いしだ 上田うえだ
森田もりた 原はら 柴田しばた 酒井さかい 宮崎みやざき 浜田はまだ 工藤くどう 横山よこやま 内田うちだ 大野おおの 高木たかぎ 安藤あんどう
谷口たにぐち 大塚おおつか 丸山まるやま 今井いまい 高田たかだ 藤原ふじわら 河野こうの 小島こじま 武田たけだ 村田むらた 上野うえの 増田ますだ
杉山すぎやま 平野ひらの 菅原すがわら 久保くぼ 松井まつい 千葉ちば 岩崎いわさき 桜井さくらい 木下きのした 野口のぐち 松尾まつお 野村のむら""".split()
HEADS = "大おお 北きた 南みなみ 高たか 古ふる 青あお 黒くろ 松まつ 竹たけ 杉すぎ 石いし 岩いわ 浅あさ 深ふか 荒あら 梅うめ 柳やなぎ 槙まき 宮みや 秋あき".split()
TAILS = (
    "田だ 山やま 川かわ 村むら 野の 原はら 島しま 崎さき 沢ざわ 井い 本もと 木き 口ぐち 林ばやし 塚つか 瀬せ".split()
)
MEN_HEADS = "健けん 翔しょう 裕ゆう 和かず 俊とし 大だい 康こう 雅まさ 拓たく 浩ひろ 達たつ 直なお 信のぶ 秀ひで 義よし 隆たか 勝かつ 誠せい 陽よう 涼りょう 慎しん 英えい 光みつ 智とも 龍りゅう".split()
MEN_TAILS = "太た 介すけ 一いち 人と 也や 平へい 彦ひこ 之ゆき 郎ろう 樹き 司じ 斗と 真ま 吾ご 希き 典のり".split()
WOMEN_HEADS = "美み 恵え 由ゆ 真ま 千ち 奈な 佳か 里り 亜あ 沙さ 優ゆう 彩あや 麻ま 梨り 友とも 明あき 裕ひろ 幸さち 雪ゆき 智とも 春はる 結ゆい 陽ひ 萌も 瑠る".split()
WOMEN_TAILS = "子こ 美み 香か 奈な 恵え 里り 絵え 乃の 菜な 代よ 月づき 花か 織おり 穂ほ 音ね 加か".split()
SINGLE = "翼つばさ 薫かおる 葵あおい 光ひかる 忍しのぶ 渚なぎさ 茜あかね 遥はるか 楓かえで 歩あゆむ 学まなぶ 誠まこと 豊ゆたか 恵めぐみ 望のぞみ 愛あい 舞まい 優ゆう".split()
NICKNAMES = {
    "けん": "ケンケン",
    "ゆう": "ゆうちん",
    "みな": "みーちゃん",
    "あや": "あやぴ",
    "しょ": "しょーくん",
    "もえ": "もえぴ",
}


def _parts(text: str) -> Name:
    place = next(i for i, letter in enumerate(text) if "ぁ" <= letter <= "ん")
    return Name(text[:place], text[place:])


def _joined(heads: list[str], tails: list[str]) -> list[Name]:
    pairs = [(_parts(head), _parts(tail)) for head in heads for tail in tails]
    return [Name(head.kanji + tail.kanji, head.kana + tail.kana) for head, tail in pairs if head.kanji != tail.kanji]


FAMILY_NAMES = [(_parts(text), 400 / (5 + place)) for place, text in enumerate(COMMON)] + [
    (name, 0.6) for name in _joined(HEADS, TAILS)
]
GIVEN_MEN = _joined(MEN_HEADS, MEN_TAILS) + [_parts(text) for text in SINGLE[:13]]
GIVEN_WOMEN = _joined(WOMEN_HEADS, WOMEN_TAILS) + [_parts(text) for text in SINGLE[2:]]

SYLLABLES = dict(
    part.split("=")
    for part in (
        "きゃ=kya きゅ=kyu きょ=kyo しゃ=sha しゅ=shu しょ=sho ちゃ=cha ちゅ=chu ちょ=cho にょ=nyo ひょ=hyo みょ=myo りゃ=rya りゅ=ryu りょ=ryo "
        "じゃ=ja じゅ=ju じょ=jo あ=a い=i う=u え=e お=o か=ka き=ki く=ku け=ke こ=ko さ=sa し=shi す=su せ=se そ=so た=ta ち=chi つ=tsu て=te と=to "
        "な=na に=ni ぬ=nu ね=ne の=no は=ha ひ=hi ふ=fu へ=he ほ=ho ま=ma み=mi む=mu め=me も=mo や=ya ゆ=yu よ=yo ら=ra り=ri る=ru れ=re ろ=ro "
        "わ=wa を=o ん=n が=ga ぎ=gi ぐ=gu げ=ge ご=go ざ=za じ=ji ず=zu ぜ=ze ぞ=zo だ=da ぢ=ji づ=zu で=de ど=do ば=ba び=bi ぶ=bu べ=be ぼ=bo "
        "ぱ=pa ぴ=pi ぷ=pu ぺ=pe ぽ=po っ="
    ).split()
)
HALF = dict(zip(
    "アイウエオカキクケコサシスセソタチツテトナニヌネノハヒフヘホマミムメモヤユヨラリルレロワヲンャュョッー",
    "ｱｲｳｴｵｶｷｸｹｺｻｼｽｾｿﾀﾁﾂﾃﾄﾅﾆﾇﾈﾉﾊﾋﾌﾍﾎﾏﾐﾑﾒﾓﾔﾕﾖﾗﾘﾙﾚﾛﾜｦﾝｬｭｮｯｰ", strict=True,
))  # fmt: skip
VOICED = dict(zip("ガギグゲゴザジズゼゾダヂヅデドバビブベボ", "カキクケコサシスセソタチツテトハヒフヘホ", strict=True))
HOMOPHONES = {
    "太": "多",
    "介": "輔",
    "一": "市",
    "郎": "朗",
    "子": "湖",
    "美": "実",
    "香": "佳",
    "奈": "菜",
    "恵": "絵",
    "里": "理",
    "樹": "紀",
    "健": "賢",
}


def in_letters(kana: str) -> str:
    """Write a reading in Hepburn letters, long vowels as most people type them."""
    letters, place = "", 0
    while place < len(kana):
        step = 2 if kana[place : place + 2] in SYLLABLES else 1
        letters += SYLLABLES.get(kana[place : place + step], "")
        place += step
    return letters


def to_katakana(kana: str, *, half: bool = False) -> str:
    """Write a reading in katakana, in half width as tills print it."""
    full = "".join(chr(ord(letter) + 96) if "ぁ" <= letter <= "ゖ" else letter for letter in kana)
    if not half:
        return full
    return "".join(HALF[VOICED[c]] + "ﾞ" if c in VOICED else HALF.get(c, c) for c in full)


def misspelled(name: Name, chance: random.Random) -> Name:
    """Make one slip: another kanji of the same reading, a kana left out, doubled, swapped or voiced otherwise."""
    kanji, kana = name
    place = chance.randrange(len(kana))
    if chance.random() < 0.5:
        swapped = "".join(HOMOPHONES.get(letter, letter) for letter in kanji)
        return Name(swapped if swapped != kanji else kanji + kanji[-1], kana)
    slips = [kana[:place] + kana[place + 1 :], kana[: place + 1] + kana[place:], kana[:place] + "ん" + kana[place:]]
    if place + 1 < len(kana):
        slips.append(kana[:place] + kana[place + 1] + kana[place] + kana[place + 2 :])
    return Name(kanji, chance.choice(slips) or kana)
