## make model         docs/model/job.pml, searched by spin: every order of
##                    MODEL_FAULTS=2 faults, and that each job ends with one
##                    less (3 takes minutes)
.PHONY: model test-model
MODEL_FAULTS = 2

model:
	@scripts/model $(MODEL_FAULTS) $(BUILD)/model

test-model: model
