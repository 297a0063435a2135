"""mkdocs hook of `make site`: README.md as the first page, the navigation, and files outside docs/ that
pages link to (notebooks, scenarios, the licence), copied under files/ as they are."""
import os
import pathlib
import posixpath
import re

from mkdocs.structure.files import File

ROOT = pathlib.Path(__file__).resolve().parent.parent
LINK = re.compile(r"(\]\()([^)\s#]+)((?:#[^)\s]*)?\))")
FENCE = re.compile(r"(^```.*?^```\s*$)", re.M | re.S)

GUIDES = [("A tutorial", "tutorial.md"), ("A scenario in five steps", "scenario.md"), ("The page", "ui.md"),
          ("A report", "report.md"), ("Training", "train.md"), ("Inference", "infer.md"),
          ("Halls over a year", "facility.md"), ("Python", "python.md"), ("JSON and CSV", "output.md")]
HELD = [("Training against measured runs", "validation.md"), ("Serving against measured runs", "validation-infer.md"),
        ("Published claims, derived again", "claims.md"), ("References", "references.md")]


def title(page):
    return re.search(r"^# (.+)$", page.read_text(), re.M).group(1)


def capital(name):
    return name[0].upper() + name[1:]


def on_config(config):
    docs = ROOT / "docs"
    there = lambda pages: [{name: page} for name, page in pages if (docs / page).exists()]
    listed = {page for _, page in GUIDES + HELD} | {"design.md"}
    others = [(title(p), p.name) for p in sorted(docs.glob("*.md")) if p.name not in listed]
    config["nav"] = [
        {"headroom": "index.md"},
        {"Guides": there(GUIDES + others) + [{"Scenarios": "scenarios.md"}]},
        {"Models": [{capital(title(p).split(":")[0]): f"models/{p.name}"} for p in sorted(docs.glob("models/*.md"))]},
        {"Held against reality": there(HELD)},
        {"Reference": [{title(p).removeprefix("Catalogue: "): f"reference/{p.name}"}
                       for p in sorted(docs.glob("reference/*.md"), key=lambda p: (p.stem.startswith("catalog"), p.stem))]},
        {"Design": "design.md"},
    ]
    return config


def on_files(files, config):
    files.append(File.generated(config, "index.md", content=(ROOT / "README.md").read_text()))
    files.append(File.generated(config, "scenarios.md", content=scenarios()))
    return files


def scenarios():
    """The scenarios in the tree as a page."""
    out = ["# Scenarios\n\nEvery scenario that comes with headroom; `headroom check scenarios/NAME.yaml` answers it.\n"]
    for file in sorted((ROOT / "scenarios").glob("*.yaml")):
        out.append(f"## {file.stem}\n\n```yaml\n{file.read_text()}```\n")
    return "\n".join(out)


def moved(path, page, files, config):
    """Where a link of `page` leads on the site: a page of docs, or a copy of what lies outside."""
    folder = "" if page == "index.md" else posixpath.join("docs", posixpath.dirname(page))
    target = posixpath.normpath(posixpath.join(folder, path))
    there = ROOT / target
    if re.match(r"[a-z]+:", path) or not there.exists():
        return path
    start = posixpath.dirname(page) or "."
    if target == "README.md":
        return posixpath.relpath("index.md", start)
    inside = target.removeprefix("docs/")
    if inside != target and there.is_file():
        return posixpath.relpath(inside, start)
    if target == "scenarios":
        return posixpath.relpath("scenarios.md", start)
    if there.is_dir():  # a folder has no page: its first one
        pages = sorted(there.glob("*.md")) if inside != target else []
        return posixpath.relpath(pages[0].relative_to(ROOT / "docs").as_posix(), start) if pages else path
    copy = f"files/{target}" + (".txt" if "." not in os.path.basename(target) or target.endswith(".md") else "")
    if files.get_file_from_path(copy) is None:
        files.append(File.generated(config, copy, abs_src_path=str(there)))
    return posixpath.relpath(copy, start)


def on_nav(nav, config, files):
    # What pages link to must be among the files before these are written.
    for page in list(files.documentation_pages()):
        on_page_markdown(page.content_string, page.page, config, files)
    return nav


def on_page_markdown(markdown, page, config, files):
    name = page.file.src_uri
    parts = FENCE.split(markdown)
    parts[::2] = [LINK.sub(lambda m: m[1] + moved(m[2], name, files, config) + m[3], p) for p in parts[::2]]
    return "".join(parts)
