## make test-t        t/: black-box tests of directives and HTTP, by prove
.PHONY: test-t
test-t: module
	@mkdir -p $(BUILD)/results
	scripts/prove-count $(BUILD)/results/t.txt
