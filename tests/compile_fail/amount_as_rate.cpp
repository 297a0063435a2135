// An amount of data (GB) is not a data rate (Gb/s).
// expect: conversion from|no viable conversion
#include "base/quantity.hpp"

using namespace headroom;

#ifdef POSITIVE
Bandwidth link = 400 * gigabit_per_second;
#else
Bandwidth link = 400 * gigabyte;
#endif
