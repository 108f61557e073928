## make test-integration [K=name]  tests/integration: private redis, nginx, workerd
## make test-chaos    those of them that kill, stop or empty a part
PYTHON ?= /usr/bin/python3

PYTEST  = BUILD=$(BUILD) PYTHONDONTWRITEBYTECODE=1 $(PYTHON) -m pytest -q \
          -p no:cacheprovider

.PHONY: test-integration test-chaos
test-integration: all
	@mkdir -p $(BUILD)/results
	REEL_RESULTS=$(abspath $(BUILD))/results/integration.txt $(PYTEST) \
	    $(if $(K),-k '$(K)',-m 'not chaos') tests/integration

test-chaos: all
	@mkdir -p $(BUILD)/results
	REEL_RESULTS=$(abspath $(BUILD))/results/chaos.txt $(PYTEST) -m chaos \
	    tests/integration

## make flood [FLOOD=100000]  so many uploads of which nothing comes
.PHONY: flood
flood: all
	REEL_FLOOD=$(or $(FLOOD),100000) $(PYTEST) -s \
	    tests/integration/test_upload_flood.py
