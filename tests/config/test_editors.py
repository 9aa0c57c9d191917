"""The schema works where people write the file: tombi and taplo are behind every TOML editor."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
SCHEMA = HERE.parent.parent / "schema" / "model-export.schema.json"
HEADER = "#:schema ./model-export.schema.json\n"
BY_SCHEMA = ["unknown-keys", "formats", "types", "signatures", "ranges", "restore", "version"]


def tool(name):
    path = shutil.which(name, path=str(Path(sys.executable).parent)) or shutil.which(name)
    return path or pytest.fail(f"{name} is not installed; it is in the dev dependencies")


LINTERS = {
    "tombi": ("lint", "--offline"),
    "taplo": ("lint", "--no-auto-config"),
}


@pytest.fixture
def lint(tmp_path):
    """Exit code and output of one linter on one example."""
    shutil.copy(SCHEMA, tmp_path)

    def run(linter, example):
        (tmp_path / "model-export.toml").write_text(HEADER + example.read_text())
        command = [tool(linter), *LINTERS[linter], "model-export.toml"]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
        return done.returncode, done.stdout + done.stderr

    return run


@pytest.mark.parametrize("linter", LINTERS)
@pytest.mark.parametrize("example", sorted(HERE.glob("valid/*.toml")), ids=lambda f: f.stem)
def test_valid_files_are_clean(linter, example, lint):
    code, output = lint(linter, example)
    assert code == 0, output
    assert "warning" not in output.lower()


@pytest.mark.parametrize("linter", LINTERS)
@pytest.mark.parametrize("name", BY_SCHEMA)
def test_invalid_files_are_refused(linter, name, lint):
    code, output = lint(linter, HERE / "invalid" / f"{name}.toml")
    assert code != 0, output
    assert "error" in output.lower()


def test_tombi_reads_toml_1_0_only(lint):
    code, output = lint("tombi", HERE / "invalid" / "toml-1.1.toml")
    assert code != 0, output


class LanguageServer:
    """`tombi lsp`, spoken to over its standard streams."""

    def __init__(self, folder):
        command = [tool("tombi"), "lsp"]
        self.process = subprocess.Popen(
            command,
            cwd=folder,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        self.number = 0
        root = folder.as_uri()
        folders = [{"uri": root, "name": "project"}]
        self.ask(
            "initialize", processId=None, rootUri=root, capabilities={}, workspaceFolders=folders
        )
        self.send("initialized")

    def send(self, method, **params):
        self._write({"method": method, "params": params})

    def ask(self, method, **params):
        self.number += 1
        self._write({"id": self.number, "method": method, "params": params})
        while True:
            message = self._read()
            if message.get("id") == self.number and "method" not in message:
                return message["result"]
            if "method" in message and "id" in message:
                self._write({"id": message["id"], "result": None})

    def _write(self, message):
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        self.process.stdin.write(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
        self.process.stdin.flush()

    def _read(self):
        length = 0
        while line := self.process.stdout.readline().strip():
            if line.lower().startswith(b"content-length:"):
                length = int(line.split(b":")[1])
        return json.loads(self.process.stdout.read(length))

    def close(self):
        self.process.stdin.close()
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()


@pytest.fixture
def server(tmp_path):
    shutil.copy(SCHEMA, tmp_path)
    server = LanguageServer(tmp_path)
    yield server
    server.close()


def completions(server, folder, text):
    """Labels offered where `|` stands in `text`."""
    source = HEADER + text
    before = source.partition("|")[0]
    uri = (folder / "model-export.toml").as_uri()
    (folder / "model-export.toml").write_text(source.replace("|", ""))
    document = {"uri": uri, "languageId": "toml", "version": 1, "text": source.replace("|", "")}
    server.send("textDocument/didOpen", textDocument=document)
    # Answered when the document has been read, which a completion does not wait for.
    server.ask("textDocument/diagnostic", textDocument={"uri": uri})
    position = {"line": before.count("\n"), "character": len(before.rpartition("\n")[2])}
    answer = server.ask("textDocument/completion", textDocument={"uri": uri}, position=position)
    items = answer["items"] if isinstance(answer, dict) else answer
    return {item["label"] for item in items}


@pytest.mark.parametrize(
    ("text", "offered"),
    [
        ("[models.a]\nentry|", {"entry-point"}),
        ("[models.a]\ncheckpoints = []\n|", {"targets", "restore", "verify", "signatures"}),
        ("[defaults]\nsa|", {"safe-mode"}),
        ("[models.a]\nkeras = |", {'"auto"', '"2"', '"3"'}),
        ("[models.a]\ntargets = [{ | }]", {"name", "max-size"}),
        ("[models.a]\ntargets = [|]", {'"saved-model"', '"frozen-graph"'}),
        ('[[models.a.targets]]\nformat = "saved-model"\nmax|', {"max-size"}),
        ("[models.a.signatures.f.inputs.x]\ndtype = |", {'"float32"', '"string"'}),
    ],
)
def test_tombi_completes(server, tmp_path, text, offered):
    assert offered <= completions(server, tmp_path, text)


def test_tombi_shows_the_description_of_a_key(server, tmp_path):
    text = '[models.a]\nselect = "all"\n'
    completions(server, tmp_path, text + "|")
    uri = (tmp_path / "model-export.toml").as_uri()
    hover = server.ask(
        "textDocument/hover", textDocument={"uri": uri}, position={"line": 2, "character": 2}
    )
    assert "Which of the checkpoints found" in json.dumps(hover)
