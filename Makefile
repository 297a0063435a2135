# Two commands do everything on a fresh Debian 12 or Ubuntu machine:
#   make demo   installs what is missing, builds Release, runs the main job
#   make test   the same, then every test
BUILD ?= build
JOBS ?= $(shell nproc)
BENCHES = $(basename $(notdir $(wildcard bench/*_bench.cpp)))

.PHONY: all deps demo test test-deps build unit bench wheel docs site web format clean

all: build

deps:
	tools/install-deps build

test-deps:
	tools/install-deps test

build: deps
	cmake -S . -B $(BUILD) -G Ninja -DCMAKE_BUILD_TYPE=Release -DHEADROOM_TESTS=OFF >/dev/null
	ninja -C $(BUILD) -j $(JOBS)

demo: build
	$(BUILD)/headroom check scenarios/llama3-405b.yaml || test $$? -eq 1

test: test-deps
	cmake -S . -B $(BUILD) -G Ninja -DCMAKE_BUILD_TYPE=Release -DHEADROOM_TESTS=ON \
	      -DHEADROOM_PYTHON=ON >/dev/null
	ninja -C $(BUILD) -j $(JOBS) all unit_tests
	ctest --test-dir $(BUILD) --output-on-failure -j $(JOBS)

bench: test-deps
	cmake -S . -B $(BUILD) -G Ninja -DCMAKE_BUILD_TYPE=Release -DHEADROOM_BENCH=ON >/dev/null
	ninja -C $(BUILD) -j $(JOBS) headroom $(BENCHES)
	for b in $(BENCHES); do echo "== $$b"; $(BUILD)/bench/$$b || exit 1; done
	bench/startup.sh $(BUILD)/headroom

# A wheel, built in an environment of its own (needs PyPI for the build's own tools).
wheel: test-deps
	python3 -m venv $(BUILD)/venv
	$(BUILD)/venv/bin/pip -q wheel --no-deps -w $(BUILD)/wheel .

# Generated pages: the reference from the field lists, the claims table.
docs: build
	tools/generate-docs $(BUILD)/headroom

# The page that `headroom ui` serves and `headroom report` fills (needs node and npm): web/dist/index.html.
web:
	cd web && npm ci --no-audit --no-fund && npm run build

# The documentation as a site under $(BUILD)/site, links checked (needs PyPI for mkdocs).
site:
	tools/build-site $(BUILD)

format:
	git ls-files '*.hpp' '*.cpp' | xargs clang-format -i

clean:
	rm -rf $(BUILD)
