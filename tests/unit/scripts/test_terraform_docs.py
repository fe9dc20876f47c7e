"""The generated parts of terraform/'s READMEs are what the generator makes of the files as they are."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from scripts.tfdocs import command as terraform_docs
from scripts.tfdocs import modules, picture, quotas
from scripts.tfdocs.hcl import BadHcl, Block, parse
from waiting_room import schemas

ROOT = Path(__file__).resolve().parents[3]
TERRAFORM = ROOT / "terraform"

MODULE = """
# A comment with a brace { and a "quote
terraform {
  required_version = ">= 1.11" // another one

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 6.25, < 7"
    }
  }
}

variable "zone_name" {
  type        = string
  description = "Name of a zone, like `my_zone`; not <empty> | not long."
}

variable "limits" {
  type = object({ # kept short
    most = optional(number, 5)
    /* lines
       between */
    names = list(string)
  })
  default     = { names = ["a#b", "c//d", "}"] }
  description = "Limits."

  validation {
    condition     = var.limits.most > 0 && "${"}"}" != "{"
    error_message = <<-EOT
      Not { like this
    EOT
  }
}

data "aws_region" "current" {}

resource "aws_sqs_queue" "this" {
  name = "${var.zone_name}-${"{"}"
}

resource "terraform_data" "this" {}

module "table" {
  source = "./modules/table"
}

output "queue_url" {
  description = "URL of the queue."
  value       = aws_sqs_queue.this.url
}
"""


@pytest.fixture
def blocks() -> list[Block]:
    return parse(MODULE)


def table(blocks: list[Block], title: str) -> list[list[str]]:
    """The rows of one table, cells apart."""
    section = modules.document(blocks).partition(f"## {title}\n\n")[2].partition("\n\n")[0]
    return [re.split(r" (?<!\\)\| ", line[2:-2]) for line in section.splitlines()[2:]]


def test_blocks_are_told_apart_whatever_stands_in_their_strings_and_comments(blocks: list[Block]) -> None:
    assert [(block.kind, *block.labels) for block in blocks] == [
        ("terraform",),
        ("variable", "zone_name"),
        ("variable", "limits"),
        ("data", "aws_region", "current"),
        ("resource", "aws_sqs_queue", "this"),
        ("resource", "terraform_data", "this"),
        ("module", "table"),
        ("output", "queue_url"),
    ]
    limits = blocks[2]
    assert limits.arguments["type"] == "object({\n  most = optional(number, 5)\n  names = list(string)\n})"
    assert limits.arguments["default"] == '{ names = ["a#b", "c//d", "}"] }'
    assert [inner.kind for inner in limits.blocks] == ["validation"]
    assert blocks[7].arguments["value"] == "aws_sqs_queue.this.url"


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ('variable "a" {\n  type = string\n', "line 3: a brace"),
        ("}\n", "line 1: a brace"),
        ('variable "a" {\n  default = "x\n}\n', "a string without an end"),
        ("a = <<EOT\nnever\n", "no end of the text"),
        ("variable a b\n", "neither = nor {"),
        ('"stray" {}\n', "line 1: a name"),
        ("a = 1\n", "outside of every block"),
    ],
)
def test_what_is_not_understood_is_refused_with_its_place(text: str, where: str) -> None:
    with pytest.raises(BadHcl, match=re.escape(where)):
        parse(text)


def test_inputs_are_laid_out_as_terraform_docs_lays_them_out(blocks: list[Block]) -> None:
    limits, zone_name = table(blocks, "Inputs")
    assert zone_name == [
        '<a name="input_zone_name"></a> [zone\\_name](#input\\_zone\\_name)',
        "Name of a zone, like `my_zone`; not &lt;empty> \\| not long.",
        "`string`",
        "n/a",
        "yes",
    ]
    assert limits[2] == "<pre>object({<br/>  most = optional(number, 5)<br/>  names = list(string)<br/>})</pre>"
    assert limits[3:] == ['`{ names = ["a#b", "c//d", "}"] }`', "no"]


def test_the_other_tables(blocks: list[Block]) -> None:
    assert [row[1] for row in table(blocks, "Requirements")] == [">= 1.11", ">= 6.25, < 7"]
    assert [row[1] for row in table(blocks, "Providers")] == [">= 6.25, < 7", "n/a"]
    assert [row[1:] for row in table(blocks, "Modules")] == [["./modules/table", "n/a"]]
    assert table(blocks, "Resources") == [
        [f"[aws_region.current]({modules.REGISTRY}/hashicorp/aws/latest/docs/data-sources/region)", "data source"],
        [f"[aws_sqs_queue.this]({modules.REGISTRY}/hashicorp/aws/latest/docs/resources/sqs_queue)", "resource"],
        ["terraform\\_data.this", "resource"],
    ]
    assert [row[1] for row in table(blocks, "Outputs")] == ["URL of the queue."]
    assert "## Inputs\n\nNo inputs." in modules.document(parse("locals {}"))


def test_an_input_without_a_description_is_refused() -> None:
    with pytest.raises(modules.BadModule, match="variable a has no description"):
        modules.document(parse('variable "a" {\n  type = string\n}\n'))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A root module with a README that has all markers, and a module whose README has none."""
    inner = tmp_path / "modules" / "table"
    inner.mkdir(parents=True)
    tmp_path.joinpath("main.tf").write_text(MODULE, encoding="utf-8")
    inner.joinpath("main.tf").write_text(MODULE, encoding="utf-8")
    inner.joinpath("README.md").write_text("# table\n\nA table.\n", encoding="utf-8")
    marks = "".join(f"<!-- BEGIN_{name} -->\nold\n<!-- END_{name} -->\n\n" for name in terraform_docs.SECTIONS)
    tmp_path.joinpath("README.md").write_text(f"# Foyer\n\n{marks}The end.\n", encoding="utf-8")
    return tmp_path


def test_what_stands_between_the_markers_is_made_anew_and_nothing_else(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["--root", str(root)]
    assert terraform_docs.main([*arguments, "--check"]) == 1
    assert capsys.readouterr().out.count("out of date: run make docs") == 2
    assert terraform_docs.main(arguments) == 0
    text = (root / "README.md").read_text(encoding="utf-8")
    assert text.startswith("# Foyer\n\n<!-- BEGIN_TF_DOCS -->\n## Requirements")
    assert text.endswith("<!-- END_QUOTAS -->\n\nThe end.\n")
    assert "old" not in re.findall(r"^\w+$", text, re.MULTILINE)
    assert "A million visitors who wait ten minutes" in text
    inner = (root / "modules" / "table" / "README.md").read_text(encoding="utf-8")
    assert inner.startswith("# table\n\nA table.\n\n<!-- BEGIN_TF_DOCS -->\n")
    assert terraform_docs.main([*arguments, "--check"]) == 0
    (root / "main.tf").write_text(MODULE.replace('"URL of the queue."', '"Address."'), encoding="utf-8")
    assert terraform_docs.main([*arguments, "--check"]) == 1


@pytest.mark.parametrize(
    "text",
    [
        "<!-- BEGIN_TF_DOCS -->\n",
        "<!-- END_TF_DOCS -->\n<!-- BEGIN_TF_DOCS -->\n",
        "<!-- BEGIN_TF_DOCS -->\n<!-- END_TF_DOCS -->\n<!-- BEGIN_COSTS -->\n",
    ],
)
def test_markers_that_do_not_fit_together_are_named(root: Path, text: str, capsys: pytest.CaptureFixture[str]) -> None:
    (root / "README.md").write_text(text, encoding="utf-8")
    assert terraform_docs.main(["--root", str(root)]) == 1
    assert "must stand there once each" in capsys.readouterr().err
    assert (root / "README.md").read_text(encoding="utf-8") == text


def test_a_file_that_is_no_terraform_is_named(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (root / "broken.tf").write_text('variable "a" {', encoding="utf-8")
    assert terraform_docs.main(["--root", str(root)]) == 1
    assert "broken.tf: line 1" in capsys.readouterr().err


def test_the_picture_has_every_function_table_and_behaviour() -> None:
    drawn = picture.architecture(ROOT / "schemas")
    for component, spec in schemas.functions().items():
        assert re.search(rf"\b{component}\b", drawn), component
        for permission in spec["permissions"]:
            kind, _, name = permission["resource"].partition(":")
            if kind == "table":
                assert re.search(rf"^  {component} (?:-- reads ---|-->) {name}$", drawn, re.MULTILINE), permission
    assert "  notifier -- reads --- counters\n" in drawn
    assert "  exchanger --> counters\n" in drawn
    assert '  scheduler -- "rate(1 minute)" --> dispatcher' in drawn
    assert "  protected_zones -. stream .-> publisher" in drawn
    served = {"api", "site_bucket", "site"}
    for behaviour in schemas.behaviours()["behaviours"]:
        if behaviour["origin"] in served:
            assert behaviour["path_pattern"].removeprefix("/.waiting-room") in drawn


def test_a_websocket_is_drawn_once_a_function_takes_it(tmp_path: Path) -> None:
    (tmp_path / "tables").mkdir()
    functions = {"functions": {**schemas.functions()}}
    functions["functions"]["connections"] = {"edge": False, "triggers": {"websocket": True}, "permissions": []}
    (tmp_path / "functions.json").write_text(json.dumps(functions), encoding="utf-8")
    (tmp_path / "behaviours.json").write_text(json.dumps(schemas.behaviours()), encoding="utf-8")
    drawn = picture.architecture(tmp_path)
    assert '  distribution -- "/ws" --> websocket' in drawn
    assert "  websocket --> connections[connections]" in drawn
    assert "websocket" not in picture.architecture(ROOT / "schemas") or "connections" in schemas.functions()


def test_quotas_above_what_aws_gives_stand_out() -> None:
    rows = quotas.table().splitlines()
    assert rows[2] == "| `expected_joins_per_sec` | | | 200 | 2,000 | 20,000 |"
    assert "| 10,000 | 1,000 | 9,100 | **90,100** |" in rows[3]


def test_terraform_has_a_readme_with_every_section() -> None:
    text = (TERRAFORM / "README.md").read_text(encoding="utf-8")
    assert "Not tried on AWS yet" in text
    elsewhere = {"METRICS": TERRAFORM / "modules" / "metrics" / "README.md"}
    for name in terraform_docs.SECTIONS:
        assert f"<!-- BEGIN_{name} -->" in (elsewhere[name].read_text(encoding="utf-8") if name in elsewhere else text)


def test_no_readme_is_out_of_date(capsys: pytest.CaptureFixture[str]) -> None:
    code = terraform_docs.main(["--check"])
    assert code == 0, capsys.readouterr().out


def test_without_its_files_a_root_keeps_its_tables(root: Path) -> None:
    assert terraform_docs.main(["--root", str(root)]) == 0
    before = (root / "README.md").read_text(encoding="utf-8")
    for file in root.rglob("*.tf"):
        file.unlink()
    (root / "README.md").write_text(before.replace("A million visitors who wait", "Nobody who waits"), encoding="utf-8")
    assert terraform_docs.main(["--root", str(root)]) == 0
    assert (root / "README.md").read_text(encoding="utf-8") == before
