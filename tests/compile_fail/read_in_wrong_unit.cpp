// A power is not read in kilowatt-hours.
// expect: conversion from|could not convert|cannot convert|no viable conversion
#include "base/quantity.hpp"

using namespace headroom;

#ifdef POSITIVE
double load(Power p) { return p.in(kilowatt); }
#else
double load(Power p) { return p.in(kilowatt_hour); }
#endif
