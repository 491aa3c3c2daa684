// Package archtest holds the import rule of the house as a test. It has no
// code of its own: who breaks the rule reads the failure here.
package archtest
