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
ASCII_WHITE_SPACE = r"[ \t\n\x0b\f\r]+"
CONTROL = r"[\x00-\x08\x0e-\x1f\x7f\x{80}-\x{84}\x{86}-\x{9f}]"
WHITE_SPACE = r"[\s\x0b\x{85}\p{Z}]+"
EMOJI = r"[\x{1F000}-\x{1FAFF}\x{2600}-\x{27BF}\x{2B50}]"
