## make bench-queue   DAGs of no-ops against BullMQ flows on the same Redis;
##                    claims among 10 to 1,000,000 ready tasks; how long a clip
##                    waits behind films; BENCH_QUEUE=--shards: three shards
##                    against one (BENCH_QUEUE=options)
.PHONY: bench-queue

BENCH_QUEUE_BIN := $(BUILD)/tests/bench/queue/queue

$(BENCH_QUEUE_BIN): tests/bench/queue/queue.c $(LIBREEL)
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) $(CTL_CFLAGS) -o $@ $< $(LIBREEL) \
	    $$($(PKG) --libs hiredis) $(LIB_LIBS)

# the same for any shard
BENCH_SHARD_BIN := $(BUILD)/tests/bench/queue/queue-shard

$(BENCH_SHARD_BIN): tests/bench/queue/queue.c tests/bench/queue/shard.c $(LIBREEL)
	@mkdir -p $(@D)
	$(CC) $(filter-out -M%,$(ALL_CFLAGS)) $(CTL_CFLAGS) -Wl,--wrap=reel_redis_key \
	    -o $@ $(filter %.c,$^) $(LIBREEL) $$($(PKG) --libs hiredis) $(LIB_LIBS)

-include $(BENCH_QUEUE_BIN).d

bench-queue: $(BENCH_QUEUE_BIN) $(BENCH_SHARD_BIN) $(BUILD)/bin/reelctl
	BUILD=$(BUILD) tests/bench/queue/run $(BENCH_QUEUE)
