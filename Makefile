# Two commands do everything on a fresh machine (python3 >= 3.10, make, git):
#   make demo    export the digits example and prove it
#   make test    run the test suite
# The browser and GitHub tests also want node and npm; without them they are skipped and say so.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
RUN    := $(BIN)/python -m
NODE   := tests/github/node_modules/.package-lock.json
WEB    := tests/browser/node_modules/.package-lock.json
JOBS   ?= 2
OLDER  := $(VENV)-2.15

# Freezing, both writers of SavedModels, variables without initial values: private parts of TensorFlow.
INSIDES := $(wildcard tests/engine/targets/test_freeze_*.py) tests/engine/targets/test_target_frozen_file.py \
	$(wildcard tests/engine/targets/test_saved_model_*.py) tests/engine/rebuild/test_lazy_init.py

.PHONY: help demo test test-all test-supported lint format schema pictures lock bench zoo mutate clean
.DEFAULT_GOAL := help

help: ## show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 12

demo: $(VENV)/export ## export examples/digits and show what was proven
	$(BIN)/ckpt-action export examples/digits/model-export.toml

# Split by files: what the tests of a file share is made once, by one worker.
test: $(VENV)/dev $(NODE) $(WEB) ## run the suite (a slice of the wide matrices)
	$(RUN) pytest -n $(JOBS) --dist loadfile -m 'not slow'

test-all: $(VENV)/dev $(NODE) $(WEB) $(OLDER)/supported ## run the suite with the wide matrices; Python 3.10 or 3.11
	OLDER_TENSORFLOW=$(CURDIR)/$(OLDER)/bin/python $(RUN) pytest -n $(JOBS) --dist loadgroup -m ""

test-supported: $(VENV)-$(TENSORFLOW)/supported ## run what depends on TensorFlow's insides with another one: make test-supported TENSORFLOW=2.16
	$(<D)/bin/python -m pytest $(INSIDES) -m 'not slow'
	$(<D)/bin/python -m pytest tests/pipeline -m 'not slow'

lint: $(VENV)/dev $(NODE) ## every static check
	$(RUN) ruff check .
	$(RUN) ruff format --check .
	$(RUN) mypy
	$(RUN) pytest -q tests/github/test_lint.py tests/test_house.py

format: $(VENV)/dev ## format the code
	$(RUN) ruff check --fix .
	$(RUN) ruff format .

schema: $(VENV)/dev ## write the JSON schema and the key tables of docs/configuration.md
	$(RUN) ckpt_action.config.schema > schema/model-export.schema.json.new
	mv schema/model-export.schema.json.new schema/model-export.schema.json
	$(RUN) ckpt_action.config.reference docs/configuration.md > docs/configuration.md.new
	mv docs/configuration.md.new docs/configuration.md

pictures: $(VENV)/dev $(WEB) ## take the pictures of the report in docs/images, in chromium
	$(RUN) tests.report.pictures

bench: $(VENV)/dev ## print ratios against stock tools, measured side by side
	$(RUN) benchmarks --large

zoo: $(VENV)/dev ## make the whole checkpoint zoo in isolated environments of old TensorFlows
	$(RUN) tests.zoo.make_zoo

mutate: $(VENV)/dev ## truncate and flip every file of the committed checkpoints, the whole run
	$(RUN) pytest -n $(JOBS) tests/checkpoint tests/zoo -m "slow or not slow" -k "mutat or damaged"

lock: $(VENV)/dev ## resolve requirements/*.txt again from pyproject.toml
	$(BIN)/uv pip compile -q pyproject.toml --extra tensorflow --extra keras-2 --extra tflite --extra onnx $(LOCK) -o requirements/export.txt
	$(BIN)/uv pip compile -q pyproject.toml --extra tensorflow --extra keras-2 --extra tflite --extra onnx --extra release --group dev $(LOCK) -o requirements/dev.txt
	$(BIN)/uv pip compile -q pyproject.toml requirements/plan.in $(LOCK) --constraint requirements/export.txt -o requirements/plan.txt
	sed -n '/^uv==/,/[^\\]$$/p' requirements/dev.txt > requirements/uv.txt
	sed -n '/^urllib3==/,/[^\\]$$/p' requirements/dev.txt > requirements/release.txt

LOCK := --universal --python-version 3.10 --generate-hashes --no-header --no-annotate \
	--no-emit-index-url --upgrade --constraint requirements/newest.txt

clean: ## remove everything the other targets made
	rm -rf $(VENV) $(VENV)-* tests/*/node_modules dist examples/*/dist

$(VENV)/export: requirements/export.txt pyproject.toml
	@echo "Fetching TensorFlow and what else an export takes into $(VENV), a minute or so ..."
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(RUN) pip install -q --disable-pip-version-check --require-hashes -r requirements/export.txt
	$(RUN) pip install -q --disable-pip-version-check --no-deps -e .
	touch $@

$(VENV)-%/supported: requirements/uv.txt pyproject.toml
	test -x $(@D)/bin/python || $(PYTHON) -m venv $(@D)
	$(@D)/bin/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements/uv.txt
	$(@D)/bin/uv pip install -q --python $(@D) -e '.[tensorflow,keras-2,tflite,onnx]' \
		'tensorflow==$*.*' 'tf-keras==$*.*' 'pytest>=8.3,<10' 'hypothesis>=6.100,<7'
	touch $@

$(VENV)/dev: requirements/dev.txt pyproject.toml
	@echo "Fetching TensorFlow and all that the tests take into $(VENV), some minutes ..."
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(RUN) pip install -q --disable-pip-version-check --require-hashes -r requirements/dev.txt
	$(RUN) pip install -q --disable-pip-version-check --no-deps -e .
	touch $@ $(VENV)/export

# Without npm the tests that need it are skipped and say so.
$(NODE) $(WEB): tests/%/node_modules/.package-lock.json: tests/%/package-lock.json
	if command -v npm >/dev/null; then npm ci --prefix tests/$* --ignore-scripts --no-audit --no-fund --loglevel=error; fi
