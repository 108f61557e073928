## make model         docs/model/job.pml, searched by spin: every order of
##                    MODEL_FAULTS=3 faults; and that it finds planted ones
.PHONY: model test-model
MODEL_FAULTS = 3

model:
	@scripts/model $(MODEL_FAULTS) $(BUILD)/model

test-model: model
