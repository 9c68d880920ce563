"""A site is built from a fresh clone, and its pages are read."""
import os, pathlib, shutil, subprocess

from pages import Seen, difference, signs
from sites import picture

ELSEWHERE = "https://cdn.example.com/"


def read(site, folder, entries):
    """Builds it and reads every entry's page; answers what to tell of it."""
    stored = with_copies(site, folder, next(entry for entry in entries if entry.title == "06-images"))
    seconds, wrong = site.build(folder), []
    for entry in entries:
        page = site.page_of(folder, entry.number)
        text = page.read_text()
        seen = Seen(text, site.is_entry)
        headed = Seen(text, first_heading())
        wrong += [f"{site.name} {entry.number} {entry.title!r}: {mistake}" for mistake in mistakes(site, folder, page, entry, seen, headed, stored)]
    assert wrong == [], "\n".join(wrong)
    if (file := os.environ.get("SLEEKSYNC_PICTURE")) and site.name == "hugo":
        shown(site.page_of(folder, entries[0].number), file)
    return f"{site.name}: {len(entries)} entries complete and harmless on their pages, built without a warning in {seconds:.1f} s"


def first_heading():
    """The page's own: an entry may have others."""
    seen = []
    return lambda tag, attributes: tag == "h1" and not seen and not seen.append(tag)


def mistakes(site, folder, page, entry, seen, headed, stored):
    if seen.found != 1:
        return [f"{seen.found} articles"]
    found = [f"acts: {seen.acts}"] if seen.acts else []
    if entry.wanted is not None and (apart := difference(entry.wanted, seen.signs())):
        found.append(apart)
    if apart := difference(signs(entry.shown_title), headed.signs()):
        found.append(f"title: {apart}")
    if entry.title == "06-images":
        # Those that stand for copied ones have a file behind them; the last is where Sleekplan has it.
        files = [site.file_of(folder, page, address) for address in seen.images if not address.startswith(ELSEWHERE)]
        if len(files) != len(stored) or any(not file.is_file() for file in files) or len(seen.images) != len(entry.images):
            found.append(f"images: {seen.images}")
    elif not entry.images <= set(seen.images):
        found.append(f"images: {seen.images}")
    return found


def with_copies(site, folder, entry):
    """Two images as if they were copied: where the connector puts them, named as it names them (`Settings::image_folder`)."""
    directory, shown = site.places
    (page,) = [path for path in folder.rglob(f"*entry-{entry.number}.md")]
    text, stored = page.read_text(), []
    (folder / directory).mkdir(parents=True, exist_ok=True)
    for number, address in enumerate(sorted(entry.images)[:2]):
        assert text.count(address) == 1, f"{site.name} names {address} {text.count(address)} times"
        name = f"entry-{entry.number}-{number}a5f.png"
        (folder / directory / name).write_bytes(picture(number))
        text = text.replace(address, shown + name)
        stored.append(name)
    page.write_text(text)
    return stored


def read_again(site, folder, said):
    seconds = site.build(folder)
    said(f"{site.name} builds what trouble has left, without a warning, in {seconds:.1f} s")


def shown(page, file):
    """For a person to look at: the page as a browser shows it."""
    browser = shutil.which("chromium") or shutil.which("google-chrome")
    look = [browser, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--window-size=1000,1600", f"--screenshot={file}"]
    subprocess.run(look + [f"file://{pathlib.Path(page)}"], check=True, timeout=120, capture_output=True)
