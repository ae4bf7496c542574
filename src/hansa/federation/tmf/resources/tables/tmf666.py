"""Attributes that TMF666 Account alone has (see engine.attributes)."""

TABLE = """
AccountRef: id! href description name @referredType
AccountRelationship: relationshipType! account:AccountRef validFor:TimePeriod!
AccountTaxExemption: certificateNumber issuingJurisdiction! reason validFor:TimePeriod!
BillFormat: id href description name!
BillFormatRefOrValue: id href description isRef:flag! name! @referredType
BillPresentationMedia: id href description name!
BillPresentationMediaRefOrValue: id href description isRef:flag! name! @referredType
BillStructure: cycleSpecification:BillingCycleSpecificationRefOrValue format:BillFormatRefOrValue
  presentationMedia:BillPresentationMediaRefOrValue*
BillingAccount: id href accountType description lastModified:time name! paymentStatus state
  accountBalance:AccountBalance* accountRelationship:AccountRelationship*
  billStructure:BillStructure contact:Contact* creditLimit:Money
  defaultPaymentMethod:PaymentMethodRef financialAccount:FinancialAccountRef
  paymentPlan:PaymentPlan* relatedParty:RelatedParty*! taxExemption:AccountTaxExemption*
BillingCycleSpecification: id href billingDateShift:whole billingPeriod chargeDateOffset:whole
  creditDateOffset:whole description frequency mailingDateOffset:whole name!
  paymentDueDateOffset:whole validFor:TimePeriod
BillingCycleSpecificationRefOrValue: id href billingDateShift:whole billingPeriod
  chargeDateOffset:whole creditDateOffset:whole dateShift:whole description frequency isRef:flag!
  mailingDateOffset:whole name! paymentDueDateOffset:whole validFor:TimePeriod @referredType
Contact: contactName contactType! partyRoleType contactMedium:ContactMedium*
  relatedParty:RelatedParty validFor:TimePeriod!
ContactMedium: mediumType preferred:flag characteristic:MediumCharacteristic validFor:TimePeriod
FinancialAccount: id href accountType description lastModified:time name! state
  accountBalance:AccountBalance* accountRelationship:AccountRelationship* contact:Contact*
  creditLimit:Money relatedParty:RelatedParty* taxExemption:AccountTaxExemption*
FinancialAccountRef: id! href name accountBalance:AccountBalance @referredType
PartyAccount: id href accountType description lastModified:time name! paymentStatus state
  accountBalance:AccountBalance* accountRelationship:AccountRelationship*
  billStructure:BillStructure contact:Contact* creditLimit:Money
  defaultPaymentMethod:PaymentMethodRef financialAccount:FinancialAccountRef
  paymentPlan:PaymentPlan* relatedParty:RelatedParty*! taxExemption:AccountTaxExemption*
PaymentPlan: numberOfPayments:whole paymentFrequency planType priority:whole status
  paymentMethod:PaymentMethodRef totalAmount:Money validFor:TimePeriod
RelatedParty: id! href name! role @referredType!
SettlementAccount: id href accountType description lastModified:time name! paymentStatus state
  accountBalance:AccountBalance* accountRelationship:AccountRelationship*
  billStructure:BillStructure contact:Contact* creditLimit:Money
  defaultPaymentMethod:PaymentMethodRef financialAccount:FinancialAccountRef
  paymentPlan:PaymentPlan* relatedParty:RelatedParty*! taxExemption:AccountTaxExemption*
"""
