## make test-corpus   every fuzzer's corpus once, under ASan and UBSan
## make fuzz [FUZZ_SECONDS=600] [FUZZ=name]
##                    libFuzzer on each harness for so long; needs clang
#
# tests/fuzz/fuzz_<x>.c defines LLVMFuzzerTestOneInput; its inputs are the
# files of tests/fuzz/corpus/<x>/.  A harness that needs more than libreel.a
# names the objects in FUZZ_WITH_<x> and their packages in FUZZ_PKGS_<x>.

FUZZ_SECONDS ?= 600
FUZZ_ALL     := $(patsubst tests/fuzz/fuzz_%.c,%,$(wildcard tests/fuzz/fuzz_*.c))
FUZZ         ?= $(FUZZ_ALL)
FUZZ_SAN      = address,undefined -fno-sanitize-recover=all \
                -fno-omit-frame-pointer

FUZZ_PKGS_pipeline = yaml-0.1
FUZZ_WITH_playlist = $(BUILD)/reelctl/m3u8.o $(BUILD)/reelctl/m3u8_attr.o
FUZZ_WITH_check    = $(FUZZ_WITH_playlist) $(BUILD)/reelctl/mpd.o \
                     $(BUILD)/reelctl/check_init.o \
                     $(BUILD)/reelctl/check_codec.o \
                     $(BUILD)/reelctl/check_moof.o \
                     $(BUILD)/reelctl/check_ts.o $(BUILD)/reelctl/check_vtt.o

FUZZ_DIR      = $(BUILD)/tests/fuzz
FUZZ_OBJS    := $(FUZZ_ALL:%=$(FUZZ_DIR)/fuzz_%.o) $(FUZZ_DIR)/replay_main.o

.PHONY: fuzz test-corpus fuzz-programs replay-programs
.SECONDARY: $(FUZZ_OBJS)

test-corpus:
	@mkdir -p $(BUILD)/results
	@$(MAKE) -s $(PARALLEL) SAN=1 BUILD=build/san replay-programs && \
	    scripts/run-corpus $(BUILD)/results/corpus.txt \
	        build/san/tests/fuzz tests/fuzz/corpus $(FUZZ)

fuzz:
	@$(MAKE) -s $(PARALLEL) SAN= BUILD=build/fuzz CC=clang \
	    CFLAGS='-O1 -g -Wno-error' \
	    SAN_FLAGS='-fsanitize=fuzzer-no-link,$(FUZZ_SAN)' fuzz-programs
	@scripts/run-fuzz build/fuzz/tests/fuzz tests/fuzz/corpus \
	    $(FUZZ_SECONDS) $(FUZZ)

replay-programs: $(FUZZ:%=$(FUZZ_DIR)/replay_%)
fuzz-programs: $(FUZZ:%=$(FUZZ_DIR)/fuzz_%)

$(FUZZ_DIR)/%.o: tests/fuzz/%.c | $$(@D)/
	$(CC) $(ALL_CFLAGS) -c -o $@ $<

fuzz_libs = $(LIBREEL) $(if $(FUZZ_PKGS_$*),$$($(PKG) --libs \
            $(FUZZ_PKGS_$*))) $(LIB_LIBS) -lm

.SECONDEXPANSION:
$(FUZZ_ALL:%=$(FUZZ_DIR)/replay_%): $(FUZZ_DIR)/replay_%: \
    $(FUZZ_DIR)/fuzz_%.o $(FUZZ_DIR)/replay_main.o $$(FUZZ_WITH_$$*) \
    $(LIBREEL)
	$(CC) $(CFLAGS) $(SAN_FLAGS) -o $@ $(filter %.o,$^) $(fuzz_libs)

$(FUZZ_ALL:%=$(FUZZ_DIR)/fuzz_%): $(FUZZ_DIR)/fuzz_%: \
    $(FUZZ_DIR)/fuzz_%.o $$(FUZZ_WITH_$$*) $(LIBREEL)
	$(CC) $(CFLAGS) -fsanitize=fuzzer,$(FUZZ_SAN) -o $@ \
	    $(filter %.o,$^) $(fuzz_libs)

-include $(FUZZ_OBJS:.o=.d)
