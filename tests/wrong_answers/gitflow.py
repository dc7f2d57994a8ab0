"Wrong answers to the exercises of lesson 33, each with a piece of the hint it must get."

from mlworkbook.project.gitflow import Repository
from wrong_answers import wrong

FILE = "pipeline.py"


def merged(path, branch, *options, text=None, commit=True):
    "Merge a branch into main, more or less."
    repo = Repository(path)
    repo.git("switch", "main")
    repo.git("merge", *options, branch, check=False)
    if commit:
        repo.commit(f"Merge branch '{branch}'", {FILE: text} if text else {})
    return path


@wrong("gitflow.conflict", "la fusión quedó a medias")
def forgets_the_commit(path, branch, text):
    merged(path, branch, "--no-commit", "--no-ff", commit=False)
    (path / FILE).write_text(text)
    return path


@wrong("gitflow.conflict", "con las marcas dentro")
def keeps_the_markers(path, branch, text):
    return merged(path, branch)


@wrong("gitflow.conflict", "con las marcas dentro")
def writes_below_the_markers(path, branch, text):
    merged(path, branch, commit=False)
    repo = Repository(path)
    repo.commit("Merge", {FILE: (path / FILE).read_text() + text})
    return path


@wrong("gitflow.conflict", "un lado entero")
def mine(path, branch, text):
    return merged(path, branch, "-X", "ours", commit=False)


@wrong("gitflow.conflict", "un lado entero")
def theirs(path, branch, text):
    return merged(path, branch, "-X", "theirs", commit=False)


@wrong("gitflow.conflict", "sin dos padres volverá a chocar")
def gives_up_and_copies(path, branch, text):
    repo = Repository(path)
    merged(path, branch, commit=False)
    repo.git("merge", "--abort")
    repo.commit("Same text", {FILE: text})
    return path


@wrong("gitflow.conflict", "sin dos padres volverá a chocar")
def squashes(path, branch, text):
    return merged(path, branch, "--squash", text=text)


@wrong("gitflow.conflict", "perdiste otro archivo")
def keeps_its_own_folder(path, branch, text):
    return merged(path, branch, "--no-commit", "--strategy=ours", text=text)


@wrong("gitflow.conflict", "no es el texto acordado")
def adds_a_note(path, branch, text):
    return merged(path, branch, text=text + "# resolved\n")


@wrong("gitflow.conflict", "`main` sigue donde estaba")
def merges_the_other_way(path, branch, text):
    repo = Repository(path)
    repo.git("switch", branch)
    repo.git("merge", "main", check=False)
    repo.commit("Merge branch 'main'", {FILE: text})
    return path


@wrong("gitflow.conflict", "la carpeta no quedó limpia")
def leaves_a_copy(path, branch, text):
    merged(path, branch, "--no-commit", text=text)
    (path / "pipeline.py.orig").write_text(text)
    return path


@wrong("gitflow.conflict", "con otra rama, que no choca")
def knows_the_name(path, branch, text):
    return merged(path, "regparam", "--no-commit", text=text)


def delivered(path, branch, files, *, start="develop", home="develop", options=("--no-ff",)):
    "Cut, commit and merge, more or less."
    repo = Repository(path)
    repo.git("switch", "--create", branch, start)
    repo.commit("Work", files)
    repo.git("switch", home)
    repo.git("merge", *options, branch)
    return path


@wrong("gitflow.feature", "la rama salió de `main`")
def cut_from_main(path, name, files):
    return delivered(path, f"feature/{name}", files, start="main")


@wrong("gitflow.feature", "cambiaste `main`")
def delivered_to_main(path, name, files):
    return delivered(path, f"feature/{name}", files, home="main")


@wrong("gitflow.feature", "cambiaste `main`")
def committed_where_it_stood(path, name, files):
    Repository(path).commit("Work", files)
    return path


@wrong("gitflow.feature", "no es una fusión")
def moves_the_name(path, name, files):
    return delivered(path, f"feature/{name}", files, options=())


@wrong("gitflow.feature", "no es una fusión")
def straight_on_develop(path, name, files):
    repo = Repository(path)
    repo.git("switch", "develop")
    repo.commit(f"Add feature/{name}", files)
    return path


@wrong("gitflow.feature", "cuyo nombre no dice que es una función")
def misspelt(path, name, files):
    return delivered(path, f"faeture/{name}", files)


@wrong("gitflow.feature", "cuyo nombre no dice")
def bare_name(path, name, files):
    return delivered(path, name, files)


@wrong("gitflow.feature", "la función no se entregó")
def never_merged(path, name, files):
    repo = Repository(path)
    repo.git("switch", "--create", f"feature/{name}", "develop")
    repo.commit("Work", files)
    return path


@wrong("gitflow.feature", "debe ser quien recibe")
def develop_into_the_feature(path, name, files):
    repo = Repository(path)
    repo.git("switch", "--create", f"feature/{name}", "develop")
    repo.commit("Work", files)
    repo.git("merge", "develop")
    repo.git("switch", "--detach", f"feature/{name}")
    tree, parents = repo.git("rev-parse", "HEAD^{tree}"), ("-p", "HEAD", "-p", "develop")
    repo.git("branch", "--force", "develop", repo.git("commit-tree", tree, *parents, "-m", "Merge develop"))
    return path


@wrong("gitflow.feature", "ni el nombre de la rama ni el mensaje")
def says_nothing(path, name, files):
    delivered(path, "feature/x", files, options=("--no-ff", "--message=Done"))
    Repository(path).git("branch", "--delete", "feature/x")
    return path


@wrong("gitflow.feature", "mira qué archivos llegaron")
def only_the_first_file(path, name, files):
    return delivered(path, f"feature/{name}", dict(list(files.items())[:1]))


def repaired(path, branch, files, *, start="main", homes=("main", "develop"), tag="", options=("--no-ff",)):
    "Cut, commit, merge and tag, more or less."
    repo = Repository(path)
    repo.git("switch", "--create", branch, start)
    repo.commit("Repair", files)
    for home in homes:
        repo.git("switch", home)
        repo.git("merge", *options, *([f"--message=Merge branch '{branch}'"] if options else ["--no-edit"]), branch)
    if tag:
        repo.git("tag", tag, "main")
    return path


@wrong("gitflow.hotfix", "falta la etiqueta")
def no_tag(path, version, files):
    return repaired(path, f"hotfix/{version}", files)


@wrong("gitflow.hotfix", "falta la etiqueta")
def tag_without_its_letter(path, version, files):
    return repaired(path, f"hotfix/{version}", files, tag=version)


@wrong("gitflow.hotfix", "la próxima versión lo perderá")
def only_main(path, version, files):
    return repaired(path, f"hotfix/{version}", files, homes=["main"], tag=f"v{version}")


@wrong("gitflow.hotfix", "las tiendas siguen sin el arreglo")
def only_develop(path, version, files):
    return repaired(path, f"hotfix/{version}", files, homes=["develop"], tag=f"v{version}")


@wrong("gitflow.hotfix", "publicaste el trabajo a medias")
def cut_from_develop(path, version, files):
    return repaired(path, f"hotfix/{version}", files, start="develop", tag=f"v{version}")


@wrong("gitflow.hotfix", "está en `main` sin fusión")
def committed_on_main(path, version, files):
    repo = Repository(path)
    repo.commit("Repair", files)
    repo.git("tag", f"v{version}")
    repo.git("switch", "develop")
    repo.git("merge", "--no-ff", "main")
    return path


@wrong("gitflow.hotfix", "está en `main` sin fusión")
def moves_main(path, version, files):
    return repaired(path, f"hotfix/{version}", files, tag=f"v{version}", options=())


@wrong("gitflow.hotfix", "no se llama `hotfix/`")
def calls_it_a_feature(path, version, files):
    return repaired(path, f"feature/{version}", files, tag=f"v{version}")


@wrong("gitflow.hotfix", "hay una copia del arreglo")
def copies_it_to_develop(path, version, files):
    repaired(path, f"hotfix/{version}", files, homes=["main"], tag=f"v{version}")
    repo = Repository(path)
    repo.git("switch", "develop")
    repo.git("cherry-pick", f"hotfix/{version}")
    return path


@wrong("gitflow.hotfix", "la etiqueta no está en lo que quedó publicado")
def tag_on_the_branch(path, version, files):
    repaired(path, f"hotfix/{version}", files)
    Repository(path).git("tag", f"v{version}", f"hotfix/{version}")
    return path


@wrong("gitflow.hotfix", "mira el nombre de la rama")
def another_number(path, version, files):
    return repaired(path, "hotfix/urgent", files, tag=f"v{version}")
