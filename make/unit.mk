## make test-unit     every tests/unit/<area>/test_*.c; SAN=1 with sanitizers
#
# Each is a cmocka program of its own, run in the repository's root.  Other
# .c files of an area are linked into all programs of that area, and what they
# need of tests/unit/help into any.  Areas link libreel.a; workerd and reelctl
# also an archive of their objects but main.o.
# There are some 140 of them, and again with sanitizers: linked by gold, where
# it is (Debian's binutils have it), in a fifth of the time.  One by hand with
# sanitizers, as scripts/run-units has it, passes over what x265 leaks:
#     LSAN_OPTIONS=suppressions=tests/unit/lsan.supp build/san/tests/unit/…

UNIT_SRCS  := $(wildcard tests/unit/*/*.c)
UNIT_TESTS := $(filter $(wildcard tests/unit/*/test_*.c),$(UNIT_SRCS))
UNIT_BINS  := $(UNIT_TESTS:%.c=$(BUILD)/%)
UNIT_OBJS  := $(UNIT_SRCS:%.c=$(BUILD)/%.o)

unit_area   = $(notdir $(patsubst %/,%,$(dir $(1))))
unit_helper = $(filter-out $(UNIT_TESTS:%.c=$(BUILD)/%.o), \
              $(filter $(BUILD)/tests/unit/$(1)/%,$(UNIT_OBJS)))

UNIT_CFLAGS = $(eval UNIT_CFLAGS := $(shell $(PKG) --cflags cmocka))$(UNIT_CFLAGS)
UNIT_CFLAGS_workerd = $(WD_CFLAGS)
UNIT_CFLAGS_reelctl = $(CTL_CFLAGS)
UNIT_PKGS_conf = yaml-0.1
UNIT_PKGS_workerd = $(WD_PKGS) libwebpdemux
UNIT_PKGS_reelctl = $(CTL_PKGS)
UNIT_WITH_workerd = $(BUILD)/tests/workerd.a
UNIT_WITH_reelctl = $(BUILD)/tests/reelctl.a
UNIT_LD = $(eval UNIT_LD := $(if $(shell command -v ld.gold),-fuse-ld=gold))$(UNIT_LD)

# one refuses what is asked for, one looks at what is given back
$(BUILD)/tests/unit/workerd/test_av_nomem: UNIT_WRAP = -Wl,--wrap=malloc \
    -Wl,--wrap=calloc -Wl,--wrap=realloc -Wl,--wrap=reallocarray
$(BUILD)/tests/unit/auth/test_secret_json: UNIT_WRAP = -Wl,--wrap=free

.PHONY: unit-programs test-unit
.SECONDARY: $(UNIT_OBJS)

# all processors, unless -j was said
PARALLEL = $(if $(filter -j% --jobserver%,$(MAKEFLAGS)),,-j$$(nproc))

unit-programs: $(UNIT_BINS)

$(BUILD)/tests/unit/%.o: tests/unit/%.c | $$(@D)/
	$(CC) $(ALL_CFLAGS) $(UNIT_CFLAGS) $(UNIT_CFLAGS_$(call unit_area,$@)) \
	    -c -o $@ $<

$(BUILD)/tests/workerd.a: $(filter-out $(BUILD)/workerd/main.o,$(WD_OBJS))
$(BUILD)/tests/reelctl.a: $(filter-out $(BUILD)/reelctl/main.o,$(CTL_OBJS))
$(BUILD)/tests/help.a: $(filter $(BUILD)/tests/unit/help/%,$(UNIT_OBJS))
$(BUILD)/tests/%.a:
	@mkdir -p $(@D)
	@rm -f $@
	$(AR) rcsT $@ $^

.SECONDEXPANSION:
$(UNIT_BINS): %: %.o $$(call unit_helper,$$(call unit_area,$$@)) \
    $(BUILD)/tests/help.a $$(UNIT_WITH_$$(call unit_area,$$@)) $(LIBREEL)
	$(CC) $(CFLAGS) $(SAN_FLAGS) $(UNIT_LD) $(UNIT_WRAP) -o $@ \
	    $(filter %.o,$^) $(BUILD)/tests/help.a \
	    $(UNIT_WITH_$(call unit_area,$@)) $(LIBREEL) \
	    $$($(PKG) --libs cmocka $(UNIT_PKGS_$(call unit_area,$@))) \
	    $(LIB_LIBS) -lm

# a program that does not build must not hide the others' results, nor may
# an old one of that name stand in for it
test-unit:
	@mkdir -p $(BUILD)/results
	@$(MAKE) -s -k $(PARALLEL) unit-programs || for p in $(UNIT_BINS); do \
	    $(MAKE) -s -q $$p 2>/dev/null || rm -f $$p; done; \
	    scripts/run-units $(BUILD)/results/unit.txt $(UNIT_BINS)

-include $(UNIT_OBJS:.o=.d)
