## make run [VIDEO=path] [PORT=8080] [LISTEN=127.0.0.1] [ONCE=1]
##                    set up, start everything, take a video in, print where to watch
## make test          set up, then unit, t/, integration, browser, corpus and small chaos
.PHONY: run test test-browser setup-test

run:
	@VIDEO='$(VIDEO)' PORT='$(PORT)' LISTEN='$(LISTEN)' ONCE='$(ONCE)' \
	    scripts/run

test:
	@scripts/test

## make test-browser  hls.js and dash.js in Chromium: play, switch, seek
test-browser: all
	@mkdir -p $(BUILD)/results
	scripts/test-browser $(BUILD)/results/browser.txt

## make test-media [MEDIA=<dir>] [K=name]  every film of a folder through the whole
##                    system, a row each; without one, a film of each family
.PHONY: test-media
test-media: all
	@BUILD=$(BUILD) scripts/test-media -k '$(K)' $(if $(MEDIA),'$(MEDIA)')

## make test-mutants [N=500] [FROM=0] [SEED=8] [MEDIA=<dir>]  damaged films through the
##                    system; FROM goes on where a run was stopped
.PHONY: test-mutants
test-mutants: all
	@BUILD=$(BUILD) scripts/test-mutants -n $(or $(N),500) -f $(or $(FROM),0) \
	    -s $(or $(SEED),8) $(if $(MEDIA),'$(MEDIA)')
