## make bench-play    clear segments against nginx's static files
.PHONY: bench-play
bench-play: module test-tools
	BUILD=$(BUILD) tests/bench/play/run $(BENCH_PLAY)
