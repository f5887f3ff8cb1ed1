# Every command sets up what it needs: a virtual environment with the pinned requirements.
PYTHON ?= python3
PORT ?= 8080
STAGE ?= dev
MODEL ?= inference/demo_model
TARGET ?= out/model.tar.gz
PROMPT ?= a photo of an astronaut riding a horse on mars

BIN := .venv/bin
REQUIREMENTS := $(wildcard requirements*.txt inference/requirements*.txt lambda/requirements.txt)
LOCK = $(BIN)/uv pip compile --quiet --no-header --no-annotate --no-emit-index-url --generate-hashes --upgrade \
	--python-version 3.12 --python-platform x86_64-manylinux_2_28
# Silences a banner about Node 20, which still works.
export JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION := 20
export PROMPT

.DEFAULT_GOAL := help
.PHONY: help setup demo showcase up test check format synth doctor cost convert docs lock package bench train evaluate clean

help: ## Show the commands.
	@grep -E '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

setup: .venv/.installed ## Create .venv.

demo: setup ## Draw six pictures through every part of the system, into out/. PROMPT="..." changes the first.
	@$(BIN)/python -m local demo --prompt "$$PROMPT"

showcase: setup ## Show every feature on one sheet, out/showcase.png: of the API that `make up` runs, else of one of its own.
	@$(BIN)/python -m local showcase

up: setup ## Keep the whole system running at http://127.0.0.1:8080 (PORT=...) until Ctrl-C.
	@$(BIN)/python -m local up --port $(PORT)

test: setup .venv/node/.installed .venv-sagemaker/.installed ## Run every test, offline.
	$(BIN)/python -m pytest

check: setup ## Lint the code and every stage's templates, check the types.
	@$(MAKE) --no-print-directory synth STAGE=prod
	@$(MAKE) --no-print-directory synth STAGE=dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/cfn-lint

format: setup ## Format the code.
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

synth: setup ## Write the CloudFormation templates of a stage (STAGE=dev) to cdk.out/.
	CDK_OUTDIR=cdk.out CDK_CONTEXT_JSON='{"stage": "$(STAGE)"}' $(BIN)/python app.py

doctor: setup ## Check what a deployment needs before it is made (STAGE=dev).
	@$(BIN)/python -m operations doctor --stage $(STAGE)

cost: setup ## Show what a stage costs, idle and at work (STAGE=dev, IMAGES= a month, SECONDS_PER_IMAGE=).
	@$(BIN)/python -m operations cost --stage $(STAGE) \
		$(if $(IMAGES),--images $(IMAGES)) $(if $(SECONDS_PER_IMAGE),--seconds $(SECONDS_PER_IMAGE))

convert: setup ## Make fp16 safetensors of a model (FROM=owner/name@commit, a path or s3://..., TO=directory or s3://...).
	@$(BIN)/python -W ignore -m inference.models.conversion "$(FROM)" "$(TO)"

docs: setup ## Write the documents that are made from the code.
	PYTHONPATH=.:lambda $(BIN)/python -m jobs.openapi > docs/openapi.json
	$(BIN)/python -m infra.config.docs > docs/configuration.md
	$(BIN)/python -m operations cost --markdown > docs/cost.md

lock: setup ## Pin everything in the container's image, with hashes, from inference/requirements*.txt.
	$(LOCK) inference/requirements.txt -o inference/requirements.lock
	$(LOCK) --no-deps inference/requirements-alone.txt -o inference/requirements-alone.lock

package: setup ## Pack a model (MODEL=directory) with the engine for AWS's stock containers, into TARGET (out/model.tar.gz).
	@mkdir -p $(dir $(TARGET))
	$(BIN)/python -m inference.script_mode.package $(MODEL) $(TARGET)

train: setup ## Train the demo model and its adapters anew, into inference/: hours on two cores, resumable.
	$(BIN)/python -m training train
	$(BIN)/python -m training lora
	$(BIN)/python -m training controlnet

bench: setup ## Measure the engine beside its peers, on the demo model.
	$(BIN)/python -W ignore -m bench

evaluate: setup ## Draw 200 prompts with the demo model and examine the pictures.
	$(BIN)/python -m training evaluate

clean: ## Remove everything that the commands above made, .venv included.
	rm -rf .venv .venv-sagemaker .local out cdk.out .mypy_cache .pytest_cache .ruff_cache .hypothesis

.venv/.installed: $(REQUIREMENTS)
	$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed: make PYTHON=python3.12 ...") if sys.version_info < (3, 11) else 0'
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check $$(grep '^torch==' inference/requirements.txt)
	$(BIN)/pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps -r inference/requirements-alone.txt
	@touch $@

# The AWS CDK's command line, for the test that goes its whole round.
.venv/node/.installed: | .venv/.installed
	npm install --silent --no-fund --no-audit --prefix .venv/node aws-cdk@2.1148.1
	@touch $@

# The SageMaker SDK of the examples wants older libraries than the rest, hence an environment of its own.
.venv-sagemaker/.installed: examples/requirements.txt | .venv/.installed
	$(BIN)/python -m venv .venv-sagemaker
	.venv-sagemaker/bin/pip install --quiet --disable-pip-version-check -r examples/requirements.txt
	@touch $@
