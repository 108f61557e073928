## make test-integration [K=name]  tests/integration: private redis, nginx, workerd
PYTHON ?= /usr/bin/python3

.PHONY: test-integration
test-integration: all
	@mkdir -p $(BUILD)/results
	BUILD=$(BUILD) REEL_RESULTS=$(abspath $(BUILD))/results/integration.txt \
	    PYTHONDONTWRITEBYTECODE=1 $(PYTHON) -m pytest -q -p no:cacheprovider \
	    $(if $(K),-k '$(K)') tests/integration
