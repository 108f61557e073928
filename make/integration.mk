## make test-integration [K=name]  tests/integration: private redis, nginx, workerd;
##                    SAN=1: all three of ours under ASan and UBSan, not in make test
## make test-chaos    those of them that kill, stop or empty a part
PYTHON ?= /usr/bin/python3

PYTEST  = BUILD=$(BUILD) $(if $(SAN),REEL_SAN=$(REEL_SAN)) \
          PYTHONDONTWRITEBYTECODE=1 $(PYTHON) -m pytest -q \
          -p no:cacheprovider

# tests/integration/sanitized.py
REEL_SAN = $(realpath $(shell $(CC) -print-file-name=libasan.so))

.PHONY: test-integration test-chaos
test-integration: all
	@mkdir -p $(BUILD)/results
	REEL_RESULTS=$(abspath $(BUILD))/results/integration.txt $(PYTEST) \
	    $(if $(K),-k '$(K)',-m 'not chaos') tests/integration

test-chaos: all
	@mkdir -p $(BUILD)/results
	REEL_RESULTS=$(abspath $(BUILD))/results/chaos.txt $(PYTEST) -m chaos \
	    tests/integration

## make test-valkey   scripts, Sentinel, Cluster with Valkey in the place of Redis
.PHONY: test-valkey
test-valkey: all
	@mkdir -p $(BUILD)/results
	@if bin=$$(scripts/valkey); then \
	    PATH=$$bin:$$PATH \
	    REEL_RESULTS=$(abspath $(BUILD))/results/valkey.txt $(PYTEST) \
	        tests/integration/lua tests/integration/test_redis_production.py; \
	else \
	    echo "0 0 1" >$(BUILD)/results/valkey.txt; \
	fi

## make flood [FLOOD=100000]  so many uploads of which nothing comes
.PHONY: flood
flood: all
	REEL_FLOOD=$(or $(FLOOD),100000) $(PYTEST) -s \
	    tests/integration/test_upload_flood.py
