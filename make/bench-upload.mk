## make bench-upload  1 GiB by each door against nginx's own DAV PUT
##                    (BENCH_MIB=1024 BENCH_UPLOAD=options)
.PHONY: bench-upload
bench-upload: module
	BUILD=$(BUILD) tests/bench/upload/run \
	    $(if $(BENCH_MIB),--mib $(BENCH_MIB)) $(BENCH_UPLOAD)
