# reel: `make run` and `make test` are the two commands; `make help` lists all.

BUILD   ?= build
CC      ?= gcc
PKG     ?= pkg-config

# make SAN=1: address and undefined-behaviour sanitizers, in a tree of its own;
# built in two thirds of the time of -O2 -g, and reports still name the line
ifeq ($(SAN),1)
BUILD    := build/san
CFLAGS  ?= -O1 -g1
SAN_FLAGS = -fsanitize=address,undefined -fno-sanitize-recover=all \
            -fno-omit-frame-pointer
endif

CFLAGS  ?= -O2 -g
WARN     = -std=c11 -D_GNU_SOURCE -Wall -Wextra -Wshadow -Wvla \
           -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith \
           -Wno-missing-field-initializers -Werror
# no function of ours is replaced at run time: calls may be direct, or inlined
HARDEN   = -fstack-protector-strong -fPIC -fno-semantic-interposition
ALL_CFLAGS = $(WARN) $(HARDEN) $(CFLAGS) $(SAN_FLAGS) -I. -I$(BUILD)/gen \
             -MMD -MP

AV_PKGS   = libavformat libavcodec libavfilter libavutil libswscale libswresample \
            libwebp
WD_PKGS   = $(AV_PKGS) hiredis yaml-0.1 jansson libcrypto libcurl libseccomp \
            freetype2 libpng
CTL_PKGS  = hiredis yaml-0.1 jansson libcrypto libcurl
LIB_LIBS  = -ljansson -lcrypto -lpthread

# what pkg-config says, asked for once and not by each compiler
WD_CFLAGS  = $(eval WD_CFLAGS := $(shell $(PKG) --cflags $(WD_PKGS)))$(WD_CFLAGS)
CTL_CFLAGS = $(eval CTL_CFLAGS := $(shell $(PKG) --cflags $(CTL_PKGS)))$(CTL_CFLAGS)

LIB_SRCS := $(wildcard lib/*/*.c)
WD_SRCS  := $(wildcard workerd/*.c)
CTL_SRCS := $(wildcard reelctl/*.c)
LUA      := $(wildcard lib/job/lua/*.lua)

LIB_OBJS := $(LIB_SRCS:%.c=$(BUILD)/%.o)
WD_OBJS  := $(WD_SRCS:%.c=$(BUILD)/%.o)
CTL_OBJS := $(CTL_SRCS:%.c=$(BUILD)/%.o)

LIBREEL  := $(BUILD)/libreel.a

.SECONDEXPANSION:
.PHONY: all lib workerd reelctl help clean
all: lib workerd reelctl module

help:
	@grep -E '^## ' Makefile $(wildcard make/*.mk) | sed 's/^[^#]*## //'

lib: $(LIBREEL)
workerd: $(BUILD)/bin/workerd
reelctl: $(BUILD)/bin/reelctl

# the folders of what is built
$(BUILD)/%/:
	@mkdir -p $@

$(LIBREEL): $(LIB_OBJS)
	@rm -f $@
	$(AR) rcs $@ $^

$(BUILD)/gen/lua_scripts.h: $(LUA) scripts/embed-lua scripts/embed-lua.awk
	@mkdir -p $(@D)
	scripts/embed-lua $(LUA) > $@.tmp && mv $@.tmp $@

$(BUILD)/lib/job/keys.o: $(BUILD)/gen/lua_scripts.h

$(BUILD)/lib/%.o: lib/%.c | $$(@D)/
	$(CC) $(ALL_CFLAGS) -c -o $@ $<

$(BUILD)/workerd/%.o: workerd/%.c | $$(@D)/
	$(CC) $(ALL_CFLAGS) $(WD_CFLAGS) -c -o $@ $<

$(BUILD)/reelctl/%.o: reelctl/%.c | $$(@D)/
	$(CC) $(ALL_CFLAGS) $(CTL_CFLAGS) -c -o $@ $<

$(BUILD)/bin/workerd: $(WD_OBJS) $(LIBREEL)
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(SAN_FLAGS) -Wl,--build-id -o $@ $(WD_OBJS) $(LIBREEL) \
	    $$($(PKG) --libs $(WD_PKGS)) $(LIB_LIBS) -lm

$(BUILD)/bin/reelctl: $(CTL_OBJS) $(LIBREEL)
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(SAN_FLAGS) -o $@ $(CTL_OBJS) $(LIBREEL) \
	    $$($(PKG) --libs $(CTL_PKGS)) $(LIB_LIBS)

clean:
	rm -rf build

include $(wildcard make/*.mk)

-include $(LIB_OBJS:.o=.d) $(WD_OBJS:.o=.d) $(CTL_OBJS:.o=.d)
