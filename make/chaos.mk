## make chaos-workerd, chaos-redis, chaos-nginx [CHAOS_MINUTES=10] [CHAOS_SEED=n]
##                    that part dies, sleeps or forgets at random moments while
##                    films come in and are watched; then everything must stand
## make chaos-dag     workerd and Redis together
## make chaos-upload  nginx, and clients that hang up
CHAOS_MINUTES ?= 10

CHAOS := chaos-workerd chaos-redis chaos-nginx chaos-dag chaos-upload

chaos-workerd: FAULTS = workerd
chaos-redis: FAULTS = redis
chaos-nginx: FAULTS = nginx
chaos-dag: FAULTS = workerd redis
chaos-upload: FAULTS = nginx client

.PHONY: $(CHAOS)
$(CHAOS): all
	BUILD=$(BUILD) PYTHONDONTWRITEBYTECODE=1 $(PYTHON) tests/chaos/chaos \
	    --minutes $(CHAOS_MINUTES) $(if $(CHAOS_SEED),--seed $(CHAOS_SEED)) \
	    $(FAULTS)
