"""Attributes that TMF678 Customer Bill alone has (see engine.attributes)."""

TABLE = """
AppliedBillingRateCharacteristic: name! valueType value:any!
AppliedBillingTaxRate: taxCategory taxRate:number taxAmount:Money
AppliedCustomerBillingRate: id! href date:time description isBilled:flag name type
  appliedTax:AppliedBillingTaxRate* bill:BillRef billingAccount:BillingAccountRef
  characteristic:AppliedBillingRateCharacteristic* periodCoverage:TimePeriod product:ProductRef
  taxExcludedAmount:Money taxIncludedAmount:Money
AppliedPayment: appliedAmount:Money payment:PaymentRef
BillRef: id! href @referredType
CustomerBill: id href billDate:time billNo category lastUpdate:time nextBillDate:time
  paymentDueDate:time runType amountDue:Money appliedPayment:AppliedPayment*
  billDocument:AttachmentRefOrValue* billingAccount:BillingAccountRef billingPeriod:TimePeriod
  financialAccount:FinancialAccountRef paymentMethod:PaymentMethodRef
  relatedParty:RelatedPartyRef* remainingAmount:Money state:stateValue taxExcludedAmount:Money
  taxIncludedAmount:Money taxItem:TaxItem*
CustomerBillOnDemand: id href description lastUpdate name billingAccount:BillingAccountRef
  customerBill:BillRef relatedParty:RelatedPartyRef state:StateValues
FinancialAccountRef: id! href name accountBalance:AccountBalance* @referredType
RelatedPartyRef: id! href name role @referredType
StateValues = inProgress | rejected | done | terminatedWithError
stateValue = new | onHold | validated | sent | partiallyPaid | settled
"""
