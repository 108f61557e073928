## make av-tools      avtask: one libav task on a file, avrun: all of a film
.PHONY: av-tools

AV_TOOL_SRCS := $(wildcard tests/tools/av/*.c)
AV_TOOL_BINS := $(AV_TOOL_SRCS:%.c=$(BUILD)/%)
AV_TOOL_OBJS := $(filter $(BUILD)/workerd/av_%,$(WD_OBJS)) \
                $(BUILD)/workerd/child_io.o $(BUILD)/workerd/loop.o $(BUILD)/workerd/sandbox.o \
                $(BUILD)/workerd/sandbox_paths.o $(BUILD)/workerd/landlock.o

av-tools: $(AV_TOOL_BINS)

$(AV_TOOL_BINS): $(BUILD)/%: %.c $(AV_TOOL_OBJS) $(LIBREEL)
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -o $@ $< $(AV_TOOL_OBJS) $(LIBREEL) \
	    $$($(PKG) --libs $(AV_PKGS) libseccomp) $(LIB_LIBS) -lm

-include $(AV_TOOL_BINS:=.d)

## make bench-encode  CPU and wall of the ladder against one ffmpeg process
##                    (BENCH_SECONDS=120 BENCH_PAIRS=3 BENCH_ENCODE=options)
.PHONY: bench-encode
bench-encode: workerd module
	BUILD=$(BUILD) tests/bench/encode/run $(BENCH_ENCODE)

## make bench-per-title  bytes of a ladder by the film against the fixed one, at
##                    equal SSIM (BENCH_PER_TITLE="--media <dir>" and more)
.PHONY: bench-per-title
bench-per-title: workerd reelctl
	BUILD=$(BUILD) tests/bench/per-title/run $(BENCH_PER_TITLE)
