## make check         who includes whom, and functions that are never called
.PHONY: check

check:
	@scripts/check-includes
	@scripts/check-includes --self-test
