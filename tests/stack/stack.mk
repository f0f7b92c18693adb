# The local stack.  Included by the Makefile.

stack := VITRINE_BUILD=$(BUILD) $(PYTHON) tests/stack/stack.py

.PHONY: deps
deps:  ## install what is missing of Debian's packages and npm
	@tests/stack/install.sh build run test
	@tests/stack/install-s3.sh $(BUILD)/s3

.PHONY: demo
demo: demo-deps  ## start everything, import photos, show a page of them; Ctrl-C ends it
	@$(MAKE) -s -j$$(nproc) all
	@$(stack) demo

.PHONY: up
up: demo-deps  ## the same in the background; addresses are in build/stack/env
	@$(MAKE) -s -j$$(nproc) all
	@$(stack) up

.PHONY: down
down:  ## end what `make up` started
	@$(stack) down

.PHONY: status
status:  ## say what of it runs
	@$(stack) status

# Before anything is compiled: the Makefile asks pkg-config.
.PHONY: demo-deps
demo-deps:
	@tests/stack/install.sh build run
	@tests/stack/install-s3.sh $(BUILD)/s3
