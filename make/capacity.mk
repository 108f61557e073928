## make capacity [FIGURES=files]  what the reference load of docs/capacity.md
##                    needs, from docs/performance.md or what benches printed
.PHONY: capacity
capacity:
	@scripts/capacity $(FIGURES)
