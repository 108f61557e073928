## make test-reelctl  the command line as its user has it
.PHONY: test-reelctl

test-reelctl: $(BUILD)/bin/reelctl $(BUILD)/bin/workerd module
	@mkdir -p $(BUILD)/results
	python3 tests/reelctl/cli.py $(BUILD)/bin/reelctl \
	    $(BUILD)/results/reelctl.txt
