"""One order of the layers, told the same way by every file that tells it."""

import re

import pytest
import yaml

from kizuna.settings import PROJECT

LAYERS = ["staging", "identity", "core", "marts", "segments", "sync"]


def _positions(text: str, words: list[str]) -> list[int]:
    found = [re.search(rf"\b{word}\b", text) for word in words]
    return [match.start() if match else -1 for match in found]


def test_the_dbt_project_has_a_block_per_layer_in_order():
    project = yaml.safe_load((PROJECT / "dbt_project" / "dbt_project.yml").read_text())
    blocks = [name for name in project["models"]["kizuna"] if not name.startswith("+")]
    assert blocks == LAYERS
    assert all(project["models"]["kizuna"][layer]["+schema"] == layer for layer in LAYERS)


def test_every_model_folder_is_a_layer():
    folders = {path.name for path in (PROJECT / "dbt_project" / "models").iterdir() if path.is_dir()}
    assert folders == set(LAYERS)


def test_the_readme_draws_the_layers_in_order():
    picture = (PROJECT / "README.md").read_text().split("```")[1]
    assert _positions(picture, LAYERS) == sorted(_positions(picture, LAYERS))
    assert -1 not in _positions(picture, LAYERS)


@pytest.mark.parametrize(("dag", "layers"), [("transform", LAYERS[:4]), ("activate", LAYERS[4:])])
def test_the_dags_have_a_task_group_per_layer_in_order(dag, layers):
    groups = re.findall(r'TaskGroup\("(\w+)"\)', (PROJECT / "dags" / f"{dag}.py").read_text())
    assert groups == layers


def test_the_lint_rules_let_each_layer_read_only_the_layers_before_it():
    rules = yaml.safe_load((PROJECT / "dbt_project" / "dbt-bouncer.yml").read_text())["manifest_checks"]
    lineage = {
        rule["include"].rstrip("/").split("/")[-1]: rule["upstream_path_pattern"]
        for rule in rules
        if rule["name"] == "check_lineage_permitted_upstream_models"
    }
    assert sorted(lineage, key=LAYERS.index) == LAYERS
    for position, layer in enumerate(LAYERS):
        later = LAYERS[position + 1 :]
        assert not any(re.search(rf"\b{name}\b", lineage[layer]) for name in later), f"{layer} may read a later layer"


def test_dag_files_stay_without_logic():
    for file in (PROJECT / "dags").glob("*.py"):
        lines = file.read_text().splitlines()
        assert len(lines) <= 40, (
            f"{file.name} has {len(lines)} lines: expected at most 40; move logic to plugins/kizuna"
        )
        assert not any(line.lstrip().startswith(("def ", "class ")) for line in lines), f"{file.name} defines something"


def test_names_say_something():
    vague = {"utils", "util", "helpers", "helper", "common", "misc", "base", "manager", "handler"}
    code = [*(PROJECT / "plugins").rglob("*.py"), *(PROJECT / "sandbox").rglob("*.py")]
    assert [file.name for file in code if file.stem in vague] == []


def test_files_stay_small():
    code = [*(PROJECT / "plugins").rglob("*.py"), *(PROJECT / "sandbox").rglob("*.py")]
    long = {str(file.relative_to(PROJECT)): len(file.read_text().splitlines()) for file in code}
    assert {name: lines for name, lines in long.items() if lines > 300} == {}


def test_test_files_have_names_of_their_own():
    names = [file.name for file in (PROJECT / "tests").rglob("test_*.py")]
    assert sorted({name for name in names if names.count(name) > 1}) == []
