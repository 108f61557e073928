## make module        the dynamic module, for Debian's nginx (needs nginx-dev,
##                    hiredis, OpenSSL, jansson, zlib)
## make install       module, programs, conf and docs below DESTDIR
.PHONY: module install

NGX_SRC   ?= /usr/share/nginx/src
NGX_TREE  := $(abspath $(BUILD))/nginx
MODULE    := $(BUILD)/ngx_http_reel_module.so
NGX_FILES := $(sort $(wildcard ngx_module/*.c))

MODDIR    ?= /usr/lib/nginx/modules
MODCONF   ?= /usr/share/nginx/modules-available
BINDIR    ?= /usr/bin
SYSCONF   ?= /etc/reel
UNITDIR   ?= /lib/systemd/system
DOCDIR    ?= /usr/share/doc/reel

module: $(MODULE)

# configure writes into its own folder, so it works in a farm of links; it
# is run again when the list of files changes
$(NGX_TREE)/files: $(NGX_FILES) config
	@mkdir -p $(NGX_TREE)
	@echo $(NGX_FILES) $(SAN) > $@.new
	@cmp -s $@.new $@ || mv $@.new $@

$(NGX_TREE)/objs/Makefile: $(NGX_TREE)/files config
	@test -f $(NGX_SRC)/configure || { \
	    echo "module: $(NGX_SRC)/configure is missing: install nginx-dev"; \
	    exit 1; }
	@rm -rf $(NGX_TREE)/objs
	cp -rsf $(NGX_SRC)/. $(NGX_TREE)/
	@rm -f $(NGX_TREE)/Makefile
	cd $(NGX_TREE) && bash -c '. ./conf_flags; \
	    REEL_LIB=$(abspath $(LIBREEL)) ./configure "$${NGX_CONF_FLAGS[@]}" \
	    --with-cc-opt="$(CFLAGS) $(SAN_FLAGS) -fPIC -fno-semantic-interposition -D_FORTIFY_SOURCE=0 -Wno-error" \
	    --with-ld-opt="$(SAN_FLAGS) -fPIC" \
	    --add-dynamic-module=$(CURDIR)' > $(NGX_TREE)/configure.log 2>&1 \
	    || { tail -n 5 $(NGX_TREE)/configure.log; exit 1; }

$(MODULE): $(LIBREEL) $(NGX_FILES) $(wildcard ngx_module/*.h lib/*/*.h) \
    $(NGX_TREE)/objs/Makefile
	$(MAKE) -C $(NGX_TREE) -f objs/Makefile modules \
	    > $(NGX_TREE)/make.log 2>&1 \
	    || { grep -E 'error|warning' -A4 $(NGX_TREE)/make.log | head -60; \
	         exit 1; }
	@! grep -A4 'ngx_module/.*warning' $(NGX_TREE)/make.log
	@cp $(NGX_TREE)/objs/ngx_http_reel_module.so $@.tmp && mv $@.tmp $@

install: all
	install -d $(DESTDIR)$(MODDIR) $(DESTDIR)$(MODCONF) $(DESTDIR)$(BINDIR) \
	    $(DESTDIR)$(SYSCONF)/pipelines $(DESTDIR)$(UNITDIR) $(DESTDIR)$(DOCDIR)
	install -m 644 $(MODULE) $(DESTDIR)$(MODDIR)/
	echo 'load_module modules/ngx_http_reel_module.so;' \
	    > $(DESTDIR)$(MODCONF)/mod-http-reel.conf
	install -m 755 $(BUILD)/bin/reelctl $(DESTDIR)$(BINDIR)/reelctl
	install -m 755 $(BUILD)/bin/workerd $(DESTDIR)$(BINDIR)/reel-workerd
	test -e $(DESTDIR)$(SYSCONF)/reel.yaml \
	    || install -m 644 conf/reel.yaml $(DESTDIR)$(SYSCONF)/
	set -e; for f in conf/pipelines/*; do \
	    to=$(DESTDIR)$(SYSCONF)/pipelines/$${f##*/}; \
	    if [ ! -e $$to ] || cmp -s $$f $$to; then install -m 644 $$f $$to; \
	    else install -m 644 $$f $$to.new; \
	        echo "$$to stays as it is; the new one is $$to.new"; fi; \
	done
	install -m 644 conf/systemd/*.service $(DESTDIR)$(UNITDIR)/
	install -m 644 README.md LICENSE CHANGES docs/*.md conf/nginx.conf conf/edge.conf \
	    $(DESTDIR)$(DOCDIR)/
