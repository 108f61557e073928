## make check         who includes whom, functions that are never called, and
##                    that docs/ and the sources name the same things;
##                    and that scripts/embed-lua refuses what it must,
##                    and that docs/capacity.md is what make capacity prints
.PHONY: check

check:
	@scripts/check-includes
	@scripts/check-includes --self-test
	@scripts/check-docs
	@scripts/check-docs --self-test
	@scripts/embed-lua --self-test
	@scripts/test-media --check
	@scripts/capacity --check docs/capacity.md
