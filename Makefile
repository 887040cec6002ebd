# What is done with a checkout, by name: each target is one script, which says more in its first lines or with --help.
# Arguments: make test ARGS='tests/unit -k servers'

.PHONY: help install test unit gallery lint bench fuzz docs packages

help: ## list the targets
	@sed -n 's/^\([a-z]*\):.*## /  make \1\t/p' Makefile | expand -t 18

install: ## install the helpers to /usr/local as root, else to ~/.local
	@scripts/install.sh $(ARGS)

test: ## get what the tests need; lint, types and every test
	@scripts/test.sh $(ARGS)

unit: ## the quick loop: the tests that start no daemon
	@scripts/unit.sh $(ARGS)

gallery: ## stage every failure that doctor names, and mend it by its remedy
	@scripts/gallery.sh $(ARGS)

lint: ## ruff, mypy and shellcheck
	@scripts/lint.sh $(ARGS)

bench: ## measure the helpers beside their peers
	@benchmarks/run $(ARGS)

fuzz: ## property tests with random input, for five minutes
	@scripts/fuzz.sh $(ARGS)

docs: ## check links and commands in the documentation
	@scripts/docs.sh $(ARGS)

packages: ## build the sdist and the wheel into dist/
	@scripts/packages.sh $(ARGS)
