"""Read a page as a browser and a screen reader would: headings, labels, links, and what is wrong with them."""

from collections import Counter
from html.parser import HTMLParser
from typing import Any

VOID = {"meta", "link", "input", "br", "img", "hr", "circle", "path", "rect"}
LABELLED = {"input", "select", "textarea"}


class Page(HTMLParser):
    """What stands on a page."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.html = html
        self.headings: dict[int, list[str]] = {level: [] for level in range(1, 7)}
        self.links: list[str] = []
        self.refresh = ""
        self.attributes: list[tuple[str, dict[str, str]]] = []
        self._open: list[tuple[str, dict[str, str], list[str]]] = []
        self._said: list[str] = []
        self._current: list[tuple[str, str]] = []
        self._unbalanced: list[str] = []
        self.feed(html)
        self.close()

    @property
    def text(self) -> str:
        """Everything that can be read, with spaces as they are seen."""
        return " ".join(" ".join(self._said).split())

    @property
    def plain(self) -> str:
        """The text without the signs that only keep words together."""
        return " ".join(self.text.replace("\N{WORD JOINER}", "").split())

    def current(self, kind: str) -> list[str]:
        """What is marked as current, of a kind such as "step", "page" or "true"."""
        return [text for marked, text in self._current if marked == kind]

    def problems(self) -> list[str]:
        """What a validator would say first: landmarks, headings, labels, ids, balance, and anything inline."""
        names = Counter(tag for tag, _ in self.attributes)
        ids = Counter(given["id"] for _, given in self.attributes if "id" in given)
        labels = {given.get("for") for tag, given in self.attributes if tag == "label"}
        found = list(self._unbalanced)
        found += [f"{names[tag]} × {tag}" for tag in ("h1", "main", "title") if names[tag] != 1]
        found += [f"id {name} twice" for name, count in ids.items() if count > 1]
        found += [
            f"{tag} {given.get('name')} without label"
            for tag, given in self.attributes
            if tag in LABELLED and given.get("type") != "hidden" and given.get("id") not in labels
        ]
        found += [
            f"{tag} with inline style or script"
            for tag, given in self.attributes
            if any(name == "style" or name.startswith("on") for name in given)
        ]
        found += [tag for tag in ("script", "style") if names[tag]]
        html = next(given for tag, given in self.attributes if tag == "html")
        metas = {given.get("name") for tag, given in self.attributes if tag == "meta"}
        found += ["no language"] if not html.get("lang") else []
        found += ["no viewport"] if "viewport" not in metas else []
        found += ["no way past the header"] if "#content" not in self.links else []
        return found

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.attributes.append((tag, given))
        if tag == "a":
            self.links.append(given.get("href", ""))
        if tag == "meta" and given.get("http-equiv") == "refresh":
            self.refresh = given["content"]
        if tag not in VOID:
            self._open.append((tag, given, []))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.attributes.append((tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        if not self._open or self._open[-1][0] != tag:
            self._unbalanced.append(f"</{tag}> closes {self._open[-1][0] if self._open else 'nothing'}")
            return
        _, given, said = self._open.pop()
        text = " ".join(" ".join(said).split())
        if len(tag) == 2 and tag[0] == "h" and tag[1].isdigit():
            self.headings[int(tag[1])].append(text)
        if "aria-current" in given:
            self._current.append((given["aria-current"], text))
        if self._open:
            self._open[-1][2].append(text)

    def handle_data(self, data: str) -> None:
        self._said.append(data)
        if self._open:
            self._open[-1][2].append(data)


def read(response: Any) -> Page:
    """The page of a response, told apart from other answers by its type."""
    assert response.headers["Content-Type"].startswith("text/html")
    return Page(response.content.decode())
