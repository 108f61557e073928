## make test-clients [K=name]  real clients upload to a private nginx
.PHONY: test-clients
test-clients: module
	@mkdir -p $(BUILD)/results
	scripts/test-clients $(BUILD)/results/clients.txt $(K)
