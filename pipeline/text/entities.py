"""RE2 patterns of what tweets hold; RE2 takes time linear in the text, whatever the text.

``[0-9A-Za-z_]`` is what Twitter allows in user names; hashtags may hold letters and digits of any
script (Twitter developer documentation, "Counting characters" and twitter-text).
"""

URL = r"(?i:\bhttps?://|\bwww\.|\bpic\.twitter\.com/)[^\s<>\"]*[^\s<>\".,;:!?'()\[\]…]"
MENTION = r"\B@[0-9A-Za-z_]+"
HASHTAG = r"\B#[\p{L}\p{M}\p{N}_]+"
NUMBER = r"\b[0-9]+(?:[.,:][0-9]+)*\b"
LINE_BREAK_TAG = r"(?i)<br\s*/?>"
ASCII_CONTROL = r"[\x00-\x08\x0e-\x1f\x7f]"
# Runs of white space other than one space, which stays as it is and is by far the most frequent.
ASCII_WHITE_SPACE = r" *[\t\n\x0b\f\r][ \t\n\x0b\f\r]*| {2,}"
CONTROL = r"[\x00-\x08\x0e-\x1f\x7f\x{80}-\x{84}\x{86}-\x{9f}]"
_WIDE = r"\t\n\x0b\f\r\x{85}\x{a0}\x{1680}\x{2000}-\x{200a}\x{2028}\x{2029}\x{202f}\x{205f}\x{3000}"
WHITE_SPACE = rf" *[{_WIDE}][ {_WIDE}]*| {{2,}}"
# Texts without any of it hold no ASCII white space to fold and no ASCII control character.
UNTIDY = r"[\x00-\x1f\x7f]|  "
# What some cleaning step may still want to change in a text that was cleaned once; hashtags and
# numbers are looked for where they are not kept.
UNSETTLED = r"[^\x00-\x7f]|[&@]|(?i:<br|http|www\.|pic\.)"
EMOJI = r"[\x{1F000}-\x{1FAFF}\x{2600}-\x{27BF}\x{2B50}]"
#: Pattern of each kind of what is kept, replaced or removed, and what it is replaced by.
PLACEHOLDERS = {
    "urls": (URL, "<url>"),
    "mentions": (MENTION, "<user>"),
    "hashtags": (HASHTAG, "<hashtag>"),
    "numbers": (NUMBER, "<number>"),
}
