# small programs that tests and benches use; one .c of tests/tools each
TOOL_SRCS := $(wildcard tests/tools/*.c)
TOOL_BINS := $(TOOL_SRCS:%.c=$(BUILD)/%)

.PHONY: test-tools
test-tools: $(TOOL_BINS)

test-t: test-tools

$(TOOL_BINS): $(BUILD)/%: %.c $(LIBREEL) | $$(@D)/
	$(CC) $(ALL_CFLAGS) -o $@ $< $(LIBREEL) $(LIB_LIBS)

-include $(TOOL_BINS:=.d)
