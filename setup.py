"""Read settings.ini, so that every dependency is declared once, and pack the lessons beside the data."""

import shutil
from configparser import ConfigParser
from pathlib import Path

from setuptools import find_packages, setup
from setuptools.command.build_py import build_py

here = Path(__file__).parent
parser = ConfigParser(delimiters=["="])
parser.read(here / "settings.ini", encoding="utf-8")
settings = parser["DEFAULT"]
declared = {key.removesuffix("_requirements"): text.split() for key, text in settings.items() if "_requirements" in key}
joined = {key.removesuffix("_extras"): text.split() for key, text in settings.items() if key.endswith("_extras")}


def whole(name):
    """What an extra brings: its own requirements and those of the extras that it joins."""
    found = declared.get(name, []) + [one for part in joined.get(name, []) for one in whole(part)]
    return list(dict.fromkeys(found))


extras = {name: whole(name) for name in declared | joined}


class BuildWithLessons(build_py):
    """Pack the lessons, so that `mlworkbook student` works without a clone, and the files that a lesson reads."""

    def find_package_modules(self, package, package_dir):
        return [module for module in super().find_package_modules(package, package_dir) if module[1] != "_modidx"]

    def run(self):
        super().run()
        if not self.editable_mode:
            target = Path(self.build_lib, settings["lib_name"], "lessons")
            lessons = shutil.ignore_patterns("*.py", ".*", "__pycache__", "library", "ops", "course", "cli")
            shutil.copytree(here / "nbs", target, dirs_exist_ok=True, ignore=lessons)
            for name in ("settings.ini", "constraints.txt", "environment.yml"):
                shutil.copy(here / name, target.parent / name)
            # the keys of the stores, if somebody keeps them there, stay there
            shutil.copytree(
                here / "infra", target.parent / "infra", dirs_exist_ok=True, ignore=shutil.ignore_patterns(".*")
            )
            workflows = Path(".github", "workflows")
            shutil.copytree(here / workflows, target.parent / workflows, dirs_exist_ok=True)


setup(
    name=settings["lib_name"],
    version=settings["version"],
    description=settings["description"],
    long_description=(here / "README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    author=settings["author"],
    author_email=settings["author_email"],
    url=settings["git_url"],
    license="MIT",
    license_files=["LICENSE*", "mlworkbook/data/LICENSE*"],
    keywords=settings["keywords"].split(),
    packages=find_packages(include=["mlworkbook", "mlworkbook.*"]),
    package_data={"mlworkbook": ["py.typed", "data/*", "data/runbooks/*", "data/sheets/*", "templates/*"]},
    python_requires=f">={settings['min_python']}",
    install_requires=settings["requirements"].split(),
    extras_require=extras | {"all": sorted(set(sum(extras.values(), [])))},
    entry_points={"console_scripts": settings["console_scripts"].split()},
    cmdclass={"build_py": BuildWithLessons},
    zip_safe=False,
)
