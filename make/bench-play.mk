## make bench-play    clear segments against nginx's static files; tokens
.PHONY: bench-play
bench-play: module test-tools
	BUILD=$(BUILD) tests/bench/play/run $(BENCH_PLAY)
	BUILD=$(BUILD) tests/bench/play/token
