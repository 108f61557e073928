## make chaos-workerd, chaos-redis, chaos-nginx [CHAOS_MINUTES=10] [CHAOS_SEED=n]
##                    that part dies, sleeps or forgets at random moments while
##                    films come in and are watched; then everything must stand
## make chaos-dag [CHAOS_JOBS=300] [CHAOS_SEED=n]
##                    so many short jobs on four workerd while children, workers
##                    and Redis die, and the disk fills: each ends, once
## make chaos-upload [CHAOS_UPLOADS=40] [CHAOS_MIB=64] [CHAOS_SEED=n]
##                    uploads through all doors at once, while nginx dies and
##                    connections are cut: each ends, once, with its bytes
CHAOS_MINUTES ?= 10

CHAOS := chaos-workerd chaos-redis chaos-nginx

chaos-workerd: FAULTS = workerd
chaos-redis: FAULTS = redis
chaos-nginx: FAULTS = nginx client

.PHONY: $(CHAOS)
$(CHAOS): all
	BUILD=$(BUILD) PYTHONDONTWRITEBYTECODE=1 $(PYTHON) tests/chaos/chaos \
	    --minutes $(CHAOS_MINUTES) $(if $(CHAOS_SEED),--seed $(CHAOS_SEED)) \
	    $(FAULTS)

.PHONY: chaos-dag
chaos-dag: workerd
	BUILD=$(BUILD) PYTHONDONTWRITEBYTECODE=1 $(PYTHON) tests/chaos/dag \
	    $(if $(CHAOS_JOBS),--jobs $(CHAOS_JOBS)) \
	    $(if $(CHAOS_SEED),--seed $(CHAOS_SEED))

.PHONY: chaos-upload
chaos-upload: all
	BUILD=$(BUILD) PYTHONDONTWRITEBYTECODE=1 $(PYTHON) tests/chaos/uploads \
	    $(if $(CHAOS_UPLOADS),--uploads $(CHAOS_UPLOADS)) \
	    $(if $(CHAOS_MIB),--mib $(CHAOS_MIB)) \
	    $(if $(CHAOS_SEED),--seed $(CHAOS_SEED))
