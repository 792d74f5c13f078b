# Fairlead's targets; "make help" lists them. Everything they need beyond Go, Node.js and make they install themselves
# where they may (test/setup/setup.sh), and long output goes to files in .cache.
.DEFAULT_GOAL := help
.PHONY: help demo test check bench score ui build setup clean
SHELL := bash

VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)
LDFLAGS := -s -w -X main.version=$(VERSION)
DATA    := $(or $(FAIRLEAD_DATA),$(abspath ../shared/data))
export FAIRLEAD_DATA := $(DATA)

help: ## list the targets
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 8

demo: build ## build everything, start Fairlead with a practice shop and print the URL
	bin/fairlead demo

test: setup build ## run all Go, UI and browser tests; says what was skipped and why
	@go run ./test/run

check: setup ## run every static check that CI runs
	@test/run/check.sh

bench: build ## measure speed: alerts a second beside Alertmanager, a million alerts, crashes (takes long)
	@test/run/measure.sh bench

score: build ## measure on data sets how well alerts become incidents and series are judged
	@test/run/measure.sh score

ui: ## build the web page into web/ui/dist; without Node.js say so and go on
	@test/run/ui.sh

build: ui ## build bin/fairlead with the page inside
	CGO_ENABLED=0 go build -trimpath -ldflags '$(LDFLAGS)' -o bin/fairlead ./cmd/fairlead

setup: ## install what check and test need where it may; say what it could not
	@test/setup/setup.sh

clean: ## remove what was built, downloaded and logged
	rm -rf bin .cache web/ui/node_modules test/browser/node_modules
	find web/ui/dist -mindepth 1 -not -name .gitkeep -delete
