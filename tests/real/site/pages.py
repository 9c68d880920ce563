"""What a reader sees of an entry's page, and what acts in it. Standard library only."""
import html.parser, unicodedata

HIDDEN = ("script", "style", "template", "noscript", "svg")
EMPTY = ("area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr")
# Generators put these for what was typed; and marks that stand for no sign.
TYPED = str.maketrans({"“": '"', "”": '"', "„": '"', "‘": "'", "’": "'", "\u200b": "", "\ufe0f": "", "\u00ad": "", "\u2060": ""})


class Seen(html.parser.HTMLParser):
    """The words, images, elements and addresses of the part of a page that `is_entry` names; of all of it without."""

    def __init__(self, page, is_entry=None):
        super().__init__()
        self.is_entry, self.open, self.inside, self.hidden = is_entry, 0, is_entry is None, 0
        self.text, self.images, self.acts, self.found = [], [], [], 0
        self.feed(page)
        self.close()

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        if not self.inside:
            if not self.is_entry(tag, attributes):
                return
            self.inside, self.open, self.found = True, 0, self.found + 1
        if tag not in EMPTY:
            self.open += 1
        # A generator's own sign beside a heading is no word of the entry.
        self.hidden += (tag not in EMPTY) and (self.hidden > 0 or tag in HIDDEN or "hash-link" in (attributes.get("class") or ""))
        if tag == "img":
            self.images.append(attributes.get("src"))
        if tag in ("script", "iframe", "object", "embed", "form", "style", "base", "meta"):
            self.acts.append(tag)
        for name, value in attributes.items():
            address = "".join((value or "").split()).lower()
            if name.startswith("on") or (name in ("href", "src", "action", "srcset", "data") and address.startswith(("javascript:", "vbscript:", "data:text"))):
                self.acts.append(f"{tag} {name}={value}")

    def handle_endtag(self, tag):
        if not self.inside or tag in EMPTY:
            return
        self.open -= 1
        self.hidden -= self.hidden > 0
        if self.open <= 0 and self.is_entry:
            self.inside = False

    def handle_data(self, data):
        if self.inside and not self.hidden:
            self.text.append(data)

    def signs(self):
        return signs("".join(self.text))


def signs(text):
    """Every sign of a text but white space, as it was typed."""
    return "".join(unicodedata.normalize("NFC", text).translate(TYPED).split())


def difference(wanted, seen):
    """Where two texts part, for a person to look at; nothing where they do not."""
    if wanted == seen:
        return None
    at = next((at for at, (one, other) in enumerate(zip(wanted, seen)) if one != other), min(len(wanted), len(seen)))
    return f"wanted …{wanted[max(0, at - 20):at + 40]!r}, seen …{seen[max(0, at - 20):at + 40]!r}"
