// A bare number is no power: somebody must say of which unit.
// expect: conversion from|no viable conversion
#include "base/quantity.hpp"

using namespace headroom;

#ifdef POSITIVE
Power load = 3.0 * watt;
#else
Power load = 3.0;
#endif
