"The built site (`make docs`) in a real browser: what a reader meets, on a desk, on a phone and from a folder."

import fnmatch
import functools
import http.server
import json
import os
import re
import shutil
import subprocess
import sys
import threading
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urljoin, urlsplit

import nbformat
import pytest

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parent.parent
SITE = ROOT / "_site" / "es"
HOMES = ("course", "library", "ops", "cli")  # notebooks outside the stages, as the site orders them
NOTEBOOKS = sorted(path.relative_to(ROOT / "nbs").with_suffix("") for path in (ROOT / "nbs").glob("*/*.ipynb"))
REFERENCE = [path for home in HOMES for path in NOTEBOOKS if path.parts[0] == home]
LESSONS = [path for path in NOTEBOOKS if path not in REFERENCE]
PAGES = sorted(
    path.relative_to(SITE).as_posix() for path in SITE.rglob("*.html") if path.relative_to(SITE).parts[0] != "_static"
)
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def missing(what: str, way_out: str) -> None:
    "Skip and say what is missing; in continuous integration nothing may be missing."
    reason = f"{what} is missing: {way_out}"
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="module")
def site():
    "Address of the site, served on this machine only."
    if not (SITE / "index.html").exists():
        missing("the built site", "run `make docs`")

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *args):
            pass

    handler = functools.partial(Quiet, directory=SITE)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


@pytest.fixture(scope="module")
def chromium():
    program = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if program is None:
        missing("Chromium", "install it, for example with `sudo apt-get install chromium`")
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=program, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def open_page(chromium):
    "Open pages and remember every complaint: console, failed or refused requests, requests that leave the site."
    contexts, faults = [], []

    def opened(address, **options):
        context = chromium.new_context(**options)
        contexts.append(context)
        home = urlsplit(address).netloc
        page = context.new_page()

        def watch(request):
            parts = urlsplit(request.url)
            if parts.scheme not in ("data", "blob") and parts.netloc != home:
                faults.append(f"left the site: {request.url}")

        def listen(message):
            if message.type in ("error", "warning"):
                faults.append(f"{page.url}: {message.text}")

        def fail(request):
            if request.failure != "net::ERR_ABORTED":  # the test went on to the next page
                faults.append(f"{request.failure}: {request.url}")

        page.on("request", watch)
        page.on("console", listen)
        page.on("pageerror", lambda error: faults.append(f"{page.url}: {error}"))
        page.on("requestfailed", fail)
        page.on("response", lambda answer: answer.status >= 400 and faults.append(f"{answer.status}: {answer.url}"))
        page.goto(address, wait_until="load")
        return page

    yield opened
    for context in contexts:
        context.close()
    assert faults == []


def overflow(page) -> list:
    "Width of a document that is wider than the window, then what passes the right edge outside of a box that scrolls."
    return page.evaluate("""() => {
        const wide = document.documentElement.clientWidth, all = document.documentElement.scrollWidth;
        const boxed = (e) => !["ARTICLE", "MAIN", "BODY"].includes(e.tagName) &&
            (["auto", "scroll"].includes(getComputedStyle(e).overflowX) || boxed(e.parentElement));
        const guilty = [...document.querySelectorAll("main *, body > footer *")].filter(
            (e) => e.getBoundingClientRect().right > wide + 1 && !boxed(e.parentElement));
        return (all > wide ? [all] : []).concat(guilty.slice(0, 5).map((e) => e.outerHTML.slice(0, 120)));
    }""")


def test_every_notebook_has_its_pages(site):
    for notebook in NOTEBOOKS:
        assert f"{notebook.as_posix()}.html" in PAGES
    package = ROOT / "mlworkbook"
    exported = {".".join(path.relative_to(package).with_suffix("").parts) for path in package.rglob("[!_]*.py")}
    assert {f"api/{name}.html" for name in exported | {"index"}} == set(fnmatch.filter(PAGES, "api/*"))


LABELS = (("Ver la solución", "Ocultar la solución"), ("Ver la comprobación", "Ocultar la comprobación"))


@functools.cache
def folded() -> dict[str, int]:
    "Pages of lessons with exercises, and how many they have."
    counts = {}
    for lesson in LESSONS:
        cells = nbformat.read(ROOT / "nbs" / f"{lesson}.ipynb", as_version=4).cells
        code = "\n".join(cell.source for cell in cells if cell.cell_type == "code")
        counts[f"{lesson.as_posix()}.html"] = len(re.findall(r"^@exercise\(", code, re.M))
    return {name: count for name, count in counts.items() if count}


@pytest.mark.parametrize("part", [0, 1])  # two browsers at once
def test_pages_load_and_fit_a_phone(site, open_page, part):
    "One visit for everything that must hold on each page."
    faults = {}
    page = open_page(site, viewport={"width": 390, "height": 844})
    for name in PAGES[part::2]:
        page.goto(site + name, wait_until="load")
        found = [f"overflows: {what}" for what in overflow(page)]
        if str(ROOT) in page.content():
            found.append("tells where it was built")
        if page.locator("html").get_attribute("lang") != "es":
            found.append("is not marked as Spanish")
        pictures = page.locator("main img:not(.cover)").evaluate_all(
            "all => all.map(i => [i.getAttribute('src'), i.alt, i.complete && i.naturalWidth > 0])"
        )
        found += [f"no alternative text: {source}" for source, text, _ in pictures if len(text) < 15 or text == source]
        found += [f"picture not shown: {source}" for source, _, shown in pictures if not shown]
        code = "\n".join(page.locator("div.cell_input").all_text_contents())
        found += [f"shows `{line}`" for line in re.findall(r"^(?:#\|.*| *### (?:BEGIN|END) SOLUTION *)$", code, re.M)]
        closed = page.locator("details.hide:not([open])").evaluate_all(
            "all => all.map(d => [d.querySelector('summary').textContent, d.querySelector('.cell_input').textContent])"
        )
        for label, _ in LABELS:
            hidden = [code for summary, code in closed if label in summary]
            if len(hidden) < folded().get(name, 0):
                found.append(f"{len(hidden)} times `{label}`, {folded()[name]} exercises")
            if any("raise NotImplementedError" in code for code in hidden[:1]):
                found.append(f"`{label}` holds the stub")
        if found:
            faults[name] = found
    assert faults == {}


class Anchors(HTMLParser):
    "Links of a page, each with its classes, and the places that a link can point at."

    def __init__(self, name: str):
        super().__init__()
        self.links, self.places = [], set()
        self.feed((SITE / name).read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attrs):
        about = dict(attrs)
        self.places.add(about.get("id"))
        if tag == "a" and "href" in about:
            self.links.append((about["href"], (about.get("class") or "").split()))


@functools.cache
def anchors(name: str) -> Anchors:
    return Anchors(name)


def linked(name: str, kind: str) -> list[str]:
    "Pages or files that the links of a class lead to."
    found = [target for target, classes in anchors(name).links if kind in classes]
    return [unquote(urlsplit(urljoin(f"/{name}", target)).path).lstrip("/") for target in found]


def test_links_lead_somewhere(site):
    broken = []
    for name in PAGES:
        for target in {target for target, _ in anchors(name).links}:
            parts = urlsplit(urljoin(site + name, target))
            if parts.scheme != "http" or f"http://{parts.netloc}/" != site:
                continue
            path = unquote(parts.path).lstrip("/") or "index.html"
            anchor = unquote(parts.fragment)
            if not (SITE / path).is_file() or (anchor and path in PAGES and anchor not in anchors(path).places):
                broken.append(f"{name}: {target}")
    assert broken == []


def test_the_course_reads_from_first_to_last_page(site):
    visited = ["index.html"]
    while following := linked(visited[-1], "right-next"):
        assert linked(following[0], "left-prev") == visited[-1:], f"no way back from {following[0]}"
        visited += following
    ordered = [*sorted(LESSONS, key=lambda lesson: lesson.name), *REFERENCE]
    wanted = [f"{notebook.as_posix()}.html" for notebook in ordered]
    assert visited[: 1 + len(wanted)] == ["index.html", *wanted]
    assert {page for page in PAGES if page.startswith("api/")} <= set(visited)


def test_sidebar_shows_the_stages_in_order(site, open_page):
    page = open_page(site + f"{LESSONS[-1].as_posix()}.html", viewport={"width": 1280, "height": 900})
    captions = page.locator("nav.course p.caption").all_inner_texts()
    titles = {
        "start": "antes de empezar",
        "discover": "descubrir",
        "play": "jugar",
        "develop": "desarrollar",
        "deploy": "desplegar",
    }
    stages = {lesson.parts[0] for lesson in LESSONS}
    wanted = [titles[stage] for stage in titles if stage in stages] + ["referencia", "consulta"]
    assert [text.lower() for text in captions] == wanted
    numbers = page.locator("nav.course .lesson-number").all_inner_texts()
    assert numbers == sorted(lesson.name[:2] for lesson in LESSONS)


def search(page, words: str) -> list[str]:
    page.keyboard.press("Control+k")
    page.locator("#pst-search-dialog input[type=search]").fill(words)
    page.keyboard.press("Enter")
    page.wait_for_url("**/search.html?q=**")
    page.locator("#search-results p.search-summary:not(:empty)").wait_for()
    links = page.locator("#search-results ul.search a")
    return links.evaluate_all("all => all.map(a => a.getAttribute('href').split('?')[0].split('#')[0])")


@pytest.mark.parametrize("words", ["pronóstico", "pronosticos"])  # a reader leaves accents out
def test_search_finds_a_word(site, open_page, words):
    page = open_page(site + "index.html")
    found = search(page, words)
    assert any(link.startswith("deploy/52_batch") for link in found), found
    page.locator("#search-results ul.search a").first.click()
    page.wait_for_load_state("load")
    assert page.locator("article h1").count() == 1


def test_search_finds_nothing_for_a_word_that_is_not_there(site, open_page):
    page = open_page(site + "index.html")
    assert search(page, "zarzaparrilla") == []


def test_solutions_and_checks_unfold(site, open_page):
    page = open_page(site)
    for name in {name.split("/")[0]: name for name in folded()}.values():  # one of each stage
        page.goto(site + name, wait_until="domcontentloaded")
        for label, other in LABELS:
            part = page.locator("details.hide", has=page.get_by_text(label, exact=True)).first
            code = part.locator(".cell_input")
            assert not code.is_visible()
            assert "raise NotImplementedError" not in code.text_content()
            part.locator("summary").click()
            code.wait_for(state="visible")
            assert part.get_by_text(other, exact=True).is_visible()


def test_long_code_is_folded_under_its_names(site, open_page):
    page = open_page(f"{site}deploy/59_aws.html")
    label = "Ver el código: leftovers, teardown"
    part = page.locator("details.hide", has=page.get_by_text(label, exact=True))
    assert part.count() == 1 and not part.locator(".cell_input").is_visible()
    part.locator("summary").click()
    part.locator(".cell_input").wait_for(state="visible")
    assert "def teardown(" in part.text_content()


def test_text_in_a_table_of_results_needs_no_scrolling(site, open_page):
    page = open_page(f"{site}deploy/50_deploy.html", viewport={"width": 1280, "height": 900})
    tables = page.locator("table.dataframe:has(td.text)")
    assert tables.count() >= 2
    assert tables.evaluate_all("all => all.every(t => t.parentElement.scrollWidth <= t.parentElement.clientWidth)")


def test_dark_mode_stays(site, open_page):
    size = {"width": 1280, "height": 900}
    page = open_page(f"{site}{LESSONS[0].as_posix()}.html", viewport=size, color_scheme="light")
    colours = "getComputedStyle(document.body).backgroundColor.match(/\\d+/g)"
    brightness = f"() => {colours}.slice(0, 3).reduce((sum, one) => sum + Number(one), 0)"
    assert page.evaluate(brightness) > 700
    for _ in range(4):
        if page.locator("html").get_attribute("data-theme") == "dark":
            break
        page.locator(".bd-header .theme-switch-button").first.click()
        page.locator(".bd-header .theme-change-button[data-mode=dark]").first.click()
    assert page.evaluate(brightness) < 150
    page.goto(site + "index.html")
    assert page.evaluate(brightness) < 150


def test_notebook_and_module_know_each_other(site):
    for notebook in NOTEBOOKS:
        source = (ROOT / "nbs" / notebook.with_suffix(".ipynb")).read_text(encoding="utf-8")
        exported, page = re.findall(r'"#\| default_exp ([\w.]+)"', source), f"{notebook.as_posix()}.html"
        for module in (f"api/{name}.html" for name in exported):
            assert linked(page, "module") == [module] and page in linked(module, "lesson")


def test_module_page_shows_what_the_source_says(site, open_page):
    page = open_page(site + "api/value.html")
    entry = page.locator("dl.py", has=page.locator("[id='mlworkbook.value.error_cost']")).inner_text()
    for text in ("Parámetros", "scored", "pd.DataFrame", "Devuelve"):
        assert text in entry


def test_student_notebook_downloads(site, open_page):
    for name, count in folded().items():
        (path,) = linked(name, "notebook")
        text = (SITE / path).read_text(encoding="utf-8")
        assert Path(path).name == f"{Path(name).stem}.ipynb"
        notebook = nbformat.reads(text, as_version=4)
        nbformat.validate(notebook)
        assert not any(re.search(r"^ *### BEGIN SOLUTION$", cell.source, re.M) for cell in notebook.cells)
        assert text.count("raise NotImplementedError") >= count
        assert not any(cell.get("outputs") for cell in notebook.cells)
    page = open_page(f"{site}{name}", accept_downloads=True)
    with page.expect_download() as waiting:
        page.locator(".lesson-bar a.notebook").click()
    assert Path(waiting.value.path()).read_text(encoding="utf-8") == text
    assert waiting.value.suggested_filename == f"{Path(name).stem}.ipynb"


def test_opens_from_a_folder(site, open_page):
    "A learner unpacks the site and opens it without a server and without the internet."
    page = open_page(SITE.as_uri() + "/index.html", offline=True)
    following = page.locator("a.right-next")
    address = following.get_attribute("href")
    following.click()
    page.wait_for_url(f"**/{address}")
    assert search(page, "pronóstico")


def test_catalogue_for_translations(tmp_path):
    "The texts of the notebooks, and nothing else, reach the catalogue of an edition in another language."
    out = tmp_path / "pot"
    options = ["-q", "-W", "--keep-going", "-E", "-b", "gettext", "-c", "docs"]
    command = [sys.executable, "-m", "sphinx", *options, "nbs", str(out)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    for notebook in NOTEBOOKS:
        catalogue = (out / f"{notebook.as_posix()}.pot").read_text(encoding="utf-8")
        cells = json.loads((ROOT / "nbs" / f"{notebook}.ipynb").read_text(encoding="utf-8"))["cells"]
        text = next("".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown")
        title = text.splitlines()[0].removeprefix("# ")
        assert f'msgid "{title}"' in catalogue
        assert "\n#: " not in catalogue, "places of texts would change with every edit"
    assert not (out / "api").exists(), "docstrings stay English"
