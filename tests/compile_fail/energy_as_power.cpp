// An energy is not a power.
// expect: conversion from|could not convert|cannot convert|no viable conversion
#include "base/quantity.hpp"

using namespace headroom;

#ifdef POSITIVE
Power load = 3 * kilowatt;
#else
Power load = 3 * kilowatt_hour;
#endif
