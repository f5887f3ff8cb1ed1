# Every command first installs what it needs: the pinned requirements in .venv, on the first run and when they change.
PYTHON ?= python3
PORT ?= 8080
STAGE ?= dev
MODEL ?= inference/demo_model
TARGET ?= out/model.tar.gz
TORCH_INDEX_URL ?=
PROMPT ?= a photo of an astronaut riding a horse on mars

BIN := .venv/bin
REQUIREMENTS := $(wildcard requirements*.txt inference/requirements*.txt lambda/requirements.txt)
WEB_SOURCES := $(shell find web -type d \( -name node_modules -o -name dist \) -prune -o -type f -print)
TORCH := $(shell grep '^torch==' inference/requirements.txt)
PIP_INSTALL := $(BIN)/pip install --disable-pip-version-check
UV_INSTALL := $(BIN)/uv pip install --python
LOCK = $(BIN)/uv pip compile --quiet --no-header --no-annotate --no-emit-index-url --generate-hashes --upgrade \
	--python-version 3.12 --python-platform x86_64-manylinux_2_28
# Suppresses the CDK's warning about Node 20, which is still supported here.
export JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION := 20
export PROMPT

.DEFAULT_GOAL := help
.PHONY: help setup web demo showcase up screenshots test check format synth doctor cost convert docs lock package mutants bench bench-gpu attack soak train evaluate clean

help: ## List the commands.
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

setup: .venv/.installed web ## Create .venv and build the page. On Linux, TORCH_INDEX_URL=... selects a CPU build of torch: PyPI's includes several GB of CUDA libraries.

web: web/dist/.built ## Build the page into web/dist/.

demo: setup ## Generate six images through the whole system, into out/. PROMPT="..." sets the first prompt.
	@$(BIN)/python -m local demo --prompt "$$PROMPT"

showcase: setup ## Render a contact sheet of every feature, out/showcase.png, with the API of a running `make up` or a temporary one.
	@$(BIN)/python -m local showcase

up: setup ## Run the whole system with its page at http://127.0.0.1:8080 (PORT=...) until Ctrl-C.
	@$(BIN)/python -m local up --port $(PORT)

screenshots: setup ## Take the screenshots of the page in docs/, with a temporary local stack and Chromium.
	@$(BIN)/python -m local screenshots

test: setup .venv/node/.installed .venv-sagemaker/.installed .venv-clients/.installed ## Run all tests, without network access.
	$(BIN)/python -m pytest --ignore tests/e2e -n 2 --dist loadfile
	$(BIN)/python -m pytest tests/e2e -n 2 --dist loadfile

check: setup ## Lint the code, the page and the templates of every stage, and check the types.
	@$(MAKE) --no-print-directory synth STAGE=prod
	@$(MAKE) --no-print-directory synth STAGE=dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/cfn-lint
	npm run check --silent --prefix web

format: setup ## Format the code.
	npm run format --silent --prefix web
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

synth: setup ## Synthesize the CloudFormation templates of a stage (STAGE=dev) into cdk.out/.
	CDK_OUTDIR=cdk.out CDK_CONTEXT_JSON='{"stage": "$(STAGE)"}' $(BIN)/python app.py

doctor: setup ## Check the prerequisites of a deployment (STAGE=dev).
	@$(BIN)/python -m operations doctor --stage $(STAGE)

cost: setup ## Estimate the monthly cost of a stage, idle and in use (STAGE=dev, IMAGES= per month, SECONDS_PER_IMAGE=).
	@$(BIN)/python -m operations cost --stage $(STAGE) \
		$(if $(IMAGES),--images $(IMAGES)) $(if $(SECONDS_PER_IMAGE),--seconds $(SECONDS_PER_IMAGE))

convert: setup ## Convert a model to fp16 safetensors (FROM=owner/name@commit, a path or s3://..., TO=directory or s3://..., OPTIONS=).
	@$(BIN)/python -W ignore -m inference.models.conversion "$(FROM)" "$(TO)" $(OPTIONS)

docs: setup ## List the generated files, and write the documents among them.
	@PYTHONPATH=.:lambda $(BIN)/python -m operations.generated_files --write
	@npm run generate --silent --prefix web

lock: setup ## Pin the packages of the container image, with hashes, from inference/requirements*.txt.
	$(LOCK) inference/requirements.txt -o inference/requirements.lock
	$(LOCK) --no-deps inference/requirements-alone.txt -o inference/requirements-alone.lock

package: setup ## Package a model (MODEL=directory) with the engine for AWS's prebuilt containers, as TARGET (out/model.tar.gz).
	@mkdir -p $(dir $(TARGET))
	$(BIN)/python -m inference.script_mode.package $(MODEL) $(TARGET)

train: setup ## Train the demo model and its adapters, into inference/: takes hours on two cores, resumable.
	$(BIN)/python -m training train
	$(BIN)/python -m training lora
	$(BIN)/python -m training controlnet

mutants: setup .venv/.mutmut ## Mutate the pure modules and run their tests against every mutant: minutes on two cores.
	@rm -rf mutants
	@$(BIN)/mutmut run
	@$(BIN)/mutmut results

bench: setup ## Benchmark the engine against others, with the demo model.
	$(BIN)/python -W ignore -m bench

bench-gpu: setup ## Benchmark the engine on this machine's GPU (8 minutes), and write the tables of docs/performance.md.
	$(BIN)/python -W ignore -m bench.gpu

soak: setup ## Run 500 jobs through a local stack whose parts fail at random; print how they ended (8 minutes).
	@$(BIN)/python -m bench.soak

attack: setup ## Attack a local stack with hostile images, files, hosts and bodies, and with kills; print what that costs (5 minutes).
	@$(BIN)/python -m bench.attack

evaluate: setup ## Generate 200 prompts with the demo model and analyse the images.
	$(BIN)/python -m training evaluate

clean: ## Delete everything that the commands above have created, including .venv.
	rm -rf web/node_modules web/dist
	rm -rf .venv .venv-sagemaker .venv-clients .local out cdk.out mutants .mypy_cache .pytest_cache .ruff_cache .hypothesis

# pip installs torch, since uv ignores the package indexes in the configuration of pip; uv then keeps that build.
.venv/.installed: $(REQUIREMENTS)
	@$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed: make PYTHON=python3.12 ...") if sys.version_info < (3, 11) else 0'
	@echo "[1/3] Creating .venv with uv (about 20 MB)"
	@$(PYTHON) -m venv .venv
	@$(PIP_INSTALL) --quiet $$(grep '^uv==' requirements-dev.txt)
	@echo "[2/3] Installing $(TORCH) (CPU build: about 0.2 GB; with CUDA libraries: several GB)"
	@$(PIP_INSTALL) --no-compile $(if $(TORCH_INDEX_URL),--extra-index-url $(TORCH_INDEX_URL)) $(TORCH)
	@echo "[3/3] Installing the other packages (about 0.4 GB)"
	@$(UV_INSTALL) $(BIN)/python -r requirements-dev.txt
	@$(UV_INSTALL) $(BIN)/python --no-deps -r inference/requirements-alone.txt
	@touch $@

# npm writes this file as the last one.
web/node_modules/.package-lock.json: web/package-lock.json
	@echo "Installing the packages that build the page (about 150 MB)"
	@npm ci --silent --no-fund --no-audit --prefix web
	@touch $@

web/dist/.built: web/node_modules/.package-lock.json $(WEB_SOURCES)
	@npm run build --silent --prefix web
	@touch $@

# The CDK CLI, for the end-to-end test that deploys and destroys a stage.
.venv/node/.installed: | .venv/.installed
	@echo "Installing the CDK CLI for the tests (about 30 MB)"
	@npm install --silent --no-fund --no-audit --prefix .venv/node aws-cdk@2.1148.1
	@touch $@

.venv/.mutmut: | .venv/.installed
	@$(UV_INSTALL) $(BIN)/python mutmut==3.8.1
	@touch $@

# The SageMaker SDK of the examples requires older libraries than this project, hence its own environment.
.venv-sagemaker/.installed: examples/requirements.txt | .venv/.installed
	@echo "Installing the SageMaker SDK for the tests of the examples (about 60 MB)"
	@$(PYTHON) -m venv .venv-sagemaker
	@$(UV_INSTALL) .venv-sagemaker/bin/python -r examples/requirements.txt
	@touch $@

# The clients of other systems, for the end-to-end tests of the compatible APIs.
.venv-clients/.installed: tests/e2e/clients/requirements.txt | .venv/.installed
	@echo "Installing clients of other systems for the tests (about 100 MB)"
	@$(PYTHON) -m venv .venv-clients
	@$(UV_INSTALL) .venv-clients/bin/python -r tests/e2e/clients/requirements.txt
	@npm install --silent --no-fund --no-audit --prefix .venv-clients/node openai@6.49.0 replicate@1.4.0
	@touch $@
