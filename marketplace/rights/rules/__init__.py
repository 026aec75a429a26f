"""Pure rules on intellectual property rights: no Flask, no database, no clock; time is always an argument.

kinds        the table of kinds of right
numbers      any common way of writing a number -> its canonical form, or a typed refusal
terms        legal terms
annuities    patent fees: schedule, surcharge, lapse
encumbrances pledges, court preservation, licences with their dates
health       may this right be published, and why not
reasons      the texts of health's reasons
"""
