## make test-t        t/: black-box tests of directives and HTTP, by prove
## make test-t-san    the same, the module under ASan and UBSan
.PHONY: test-t test-t-san build-t-san
test-t: module
	@mkdir -p $(BUILD)/results
	@scripts/npm-modules tests/clients || echo "t: npm is out of reach"
	scripts/prove-count $(BUILD)/results/t.txt

build-t-san:
	@$(MAKE) -s $(PARALLEL) SAN=1 BUILD=build/san module test-tools

test-t-san: build-t-san
	@mkdir -p $(BUILD)/results
	@scripts/npm-modules tests/clients || echo "t-san: npm is out of reach"
	scripts/test-t-san $(BUILD)/results/t-san.txt build/san $(CC)
